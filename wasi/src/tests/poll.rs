//! Tests of `poll_oneoff`.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::*;
use crate::calls::fd_meta::fd_fdstat_set_flags;
use crate::calls::poll::poll_oneoff;
use crate::fd::Input;

const SUBSCRIPTIONS: u32 = PATH;
const EVENTS: u32 = DATA;
const MILLISECOND: u64 = 1_000_000;

fn clock(userdata: u64, id: u32, timeout: u64, flags: u16) -> [u8; 48] {
    let mut bytes = [0; 48];
    bytes[..8].copy_from_slice(&userdata.to_le_bytes());
    bytes[16..20].copy_from_slice(&id.to_le_bytes());
    bytes[24..32].copy_from_slice(&timeout.to_le_bytes());
    bytes[40..42].copy_from_slice(&flags.to_le_bytes());
    bytes
}

fn ready(userdata: u64, tag: u8, fd: u32) -> [u8; 48] {
    let mut bytes = [0; 48];
    bytes[..8].copy_from_slice(&userdata.to_le_bytes());
    bytes[8] = tag;
    bytes[16..20].copy_from_slice(&fd.to_le_bytes());
    bytes
}

/// userdata, errno, type, bytes, flags
type Event = (u64, u16, u8, u64, u16);

impl Guest {
    fn poll(&mut self, subscriptions: &[[u8; 48]]) -> Result<Vec<Event>, Errno> {
        self.put(SUBSCRIPTIONS, &subscriptions.concat());
        let count = subscriptions.len() as u32;
        self.call(|w, m| poll_oneoff(w, m, SUBSCRIPTIONS, EVENTS, count, OUT))?;
        let events = self.get(EVENTS, self.u32(OUT) * 32).chunks(32);
        let event = |b: &[u8]| {
            let (error, flags) = (layout::u16_at(b, 8), layout::u16_at(b, 24));
            (layout::u64_at(b, 0), error, b[10], layout::u64_at(b, 16), flags)
        };
        Ok(events.map(event).collect())
    }
}

#[test]
fn sleeping() {
    let mut guest = Guest::new(Builder::new());
    for id in [0, 1] {
        let start = Instant::now();
        assert_eq!(guest.poll(&[clock(7, id, 20 * MILLISECOND, 0)]), Ok(vec![(7, 0, 0, 0, 0)]));
        assert!(start.elapsed() >= Duration::from_millis(19));
        // A deadline in the past has been reached.
        assert_eq!(guest.poll(&[clock(8, id, 1, 1)]), Ok(vec![(8, 0, 0, 0, 0)]));
    }
    let events = guest.poll(&[clock(1, 1, u64::MAX, 0), clock(2, 1, 1, 0)]);
    assert_eq!(events, Ok(vec![(2, 0, 0, 0, 0)]), "the earlier deadline");
}

#[test]
fn a_fixed_clock_sleeps_in_no_time() {
    let mut guest = Guest::new(Builder::new().fixed_clocks(Duration::ZERO));
    let hour = 3_600_000 * MILLISECOND;
    assert_eq!(guest.poll(&[clock(1, 1, hour, 0)]), Ok(vec![(1, 0, 0, 0, 0)]));
    assert_eq!(guest.wasi.clocks.now(0), Ok(hour));
}

#[test]
fn the_embedder_sleeps_and_yields() {
    use std::sync::{Arc, Mutex};
    let log = Arc::new(Mutex::new(Vec::new()));
    let (sleeps, yields) = (log.clone(), log.clone());
    let builder = Builder::new()
        .sleep_with(move |time| sleeps.lock().unwrap().push(time))
        .yield_with(move || yields.lock().unwrap().push(Duration::ZERO));
    let hour = 3_600_000 * MILLISECOND;
    // The guest's sleep ends although the host's clock has not advanced by an hour.
    for builder in [builder.clone(), builder.fixed_clocks(Duration::ZERO)] {
        let mut guest = Guest::new(builder);
        assert_eq!(guest.poll(&[clock(1, 1, hour, 0)]), Ok(vec![(1, 0, 0, 0, 0)]));
        assert_eq!(guest.poll(&[clock(2, 1, 0, 0)]), Ok(vec![(2, 0, 0, 0, 0)]));
        guest.call(crate::calls::sched::sched_yield).unwrap();
        let log = std::mem::take(&mut *log.lock().unwrap());
        assert_eq!(log.len(), 2, "{log:?}");
        assert!(log[0] > Duration::from_secs(3599) && log[0] <= Duration::from_secs(3600));
        assert_eq!(log[1], Duration::ZERO);
    }
}

#[test]
fn errors_of_single_subscriptions() {
    let mut guest = Guest::new(Builder::new().stdin(Input::bytes("abc")));
    let code = |errno: Errno| errno.code();
    let events = guest.poll(&[
        ready(1, 1, 0),
        ready(2, 2, 1),
        ready(3, 1, 99),
        ready(4, 2, 0),
        clock(5, 9, 0, 0),
        clock(6, 2, 0, 0),
        clock(7, 1, 0, 2),
        clock(8, 1, u64::MAX, 0),
    ]);
    let expected = vec![
        (1, 0, 1, 3, 0),
        (2, 0, 2, 0, 0),
        (3, code(Errno::Badf), 1, 0, 0),
        (4, code(Errno::Badf), 2, 0, 0),
        (5, code(Errno::Inval), 0, 0, 0),
        (6, code(Errno::Notsup), 0, 0, 0),
        (7, code(Errno::Inval), 0, 0, 0),
    ];
    assert_eq!(events, Ok(expected));
    assert_eq!(guest.poll(&[]), Err(Errno::Inval));
    assert_eq!(guest.poll(&[ready(1, 3, 0)]), Err(Errno::Inval));
    for count in [4097, u32::MAX] {
        assert_eq!(guest.call(|w, m| poll_oneoff(w, m, 0, 0, count, OUT)), Err(Errno::Inval));
    }
    assert_eq!(guest.call(|w, m| poll_oneoff(w, m, 0, 0, 4096, OUT)), Err(Errno::Fault));
}

#[test]
fn descriptors_and_a_clock_in_one_wait() {
    let (mut host, socket) = UnixStream::pair().unwrap();
    let mut guest = Guest::new(Builder::new().socket(socket));
    let fd = 3;
    let wait = [ready(1, 1, fd), clock(2, 1, 10 * MILLISECOND, 0)];
    assert_eq!(guest.poll(&wait), Ok(vec![(2, 0, 0, 0, 0)]));
    assert_eq!(guest.poll(&[ready(3, 2, fd), ready(1, 1, fd)]), Ok(vec![(3, 0, 2, 0, 0)]));

    let writer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        host.write_all(b"hello").unwrap();
        host
    });
    let wait = [clock(2, 1, 10_000 * MILLISECOND, 0), ready(1, 1, fd)];
    assert_eq!(guest.poll(&wait), Ok(vec![(1, 0, 1, 5, 0)]));
    assert_eq!(guest.read(fd, 10).unwrap(), b"hello");
    guest.call(|w, m| fd_fdstat_set_flags(w, m, fd, 4)).unwrap();
    assert_eq!(guest.read(fd, 10), Err(Errno::Again));
    drop(writer.join().unwrap());
    assert_eq!(guest.poll(&[ready(1, 1, fd)]), Ok(vec![(1, 0, 1, 0, 1)]), "hung up");
    assert_eq!(guest.read(fd, 10).unwrap(), b"");
    assert_eq!(guest.write(fd, b"x"), Err(Errno::Pipe));
}

#[test]
fn files_are_always_ready() {
    let mut mounted = Mounted::new(false);
    mounted.file("a", "abc");
    let fd = mounted.guest.open("a", 0, true).unwrap();
    let events = mounted.guest.poll(&[ready(1, 1, fd), ready(2, 2, fd), ready(3, 1, DIR)]);
    let badf = Errno::Badf.code();
    assert_eq!(events, Ok(vec![(1, 0, 1, 3, 0), (2, 0, 2, 0, 0), (3, badf, 1, 0, 0)]));
    mounted.guest.seek(fd, 1, 0).unwrap();
    let events = mounted.guest.poll(&[ready(1, 1, fd)]);
    assert_eq!(events, Ok(vec![(1, 0, 1, 2, 0)]), "the bytes from the guest's offset on");
    assert_eq!(mounted.guest.read(fd, 10).unwrap(), b"bc");
}
