//! Tests of the four functions of preview 0 that differ from preview 1.

use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use super::*;
use crate::calls::preview0;

#[test]
fn filestat_has_a_short_link_count() {
    let mut mounted = Mounted::new(false);
    mounted.file("a", "hello");
    fs::hard_link(mounted.host("a"), mounted.host("b")).unwrap();
    let host = fs::metadata(mounted.host("a")).unwrap();
    let guest = &mut mounted.guest;
    let fd = guest.open("a", 0, false).unwrap();
    let by_path = |w: &mut Wasi, m: &mut Memory<'_>| {
        let len = 1;
        preview0::path_filestat_get(w, m, DIR, 0, PATH, len, OUT)
    };
    guest.put(PATH, b"a");
    for by_fd in [false, true] {
        guest.put(OUT, &[0xff; 64]);
        match by_fd {
            true => guest.call(|w, m| preview0::fd_filestat_get(w, m, fd, OUT)).unwrap(),
            false => guest.call(by_path).unwrap(),
        }
        assert_eq!((guest.u64(0), guest.u64(8)), (host.dev(), host.ino()));
        assert_eq!((guest.memory[16], guest.u32(20), guest.u64(24)), (4, 2, 5));
        assert_eq!(guest.u64(40) / 1_000_000_000, host.mtime() as u64);
        assert_eq!(guest.u64(56), u64::MAX, "the record has 56 bytes");
    }
}

#[test]
fn whence_has_other_numbers() {
    let mut mounted = Mounted::new(false);
    mounted.file("a", "0123456789");
    let guest = &mut mounted.guest;
    let fd = guest.open("a", 0, false).unwrap();
    let mut seek = |offset, whence| {
        guest.call(|w, m| preview0::fd_seek(w, m, fd, offset, whence, OUT))?;
        Ok(guest.u64(OUT))
    };
    assert_eq!(seek(4, 2), Ok(4), "set");
    assert_eq!(seek(3, 0), Ok(7), "cur");
    assert_eq!(seek(-1, 1), Ok(9), "end");
    assert_eq!(seek(-1, 2), Err(Errno::Inval));
    assert_eq!(seek(0, 3), Err(Errno::Inval));
}

#[test]
fn subscriptions_have_an_identifier() {
    let mut guest = Guest::new(Builder::new().fixed_clocks(Duration::ZERO));
    let mut clock = [0; 56];
    clock[0] = 7;
    clock[16] = 99;
    clock[24] = 1;
    clock[32..40].copy_from_slice(&1_000u64.to_le_bytes());
    let mut stdin = [0; 56];
    stdin[0] = 8;
    stdin[8] = 1;
    guest.put(PATH, &[clock, stdin].concat());
    let mut poll = |count| {
        guest.call(|w, m| preview0::poll_oneoff(w, m, PATH, DATA, count, OUT)).unwrap();
        (guest.u32(OUT), guest.memory[DATA as usize], guest.u64(DATA + 8))
    };
    assert_eq!(poll(2), (1, 8, 1 << 16), "the stream is ready at once");
    assert_eq!(poll(1), (1, 7, 0), "the clock reaches the deadline");
    assert_eq!(guest.wasi.clocks.now(1), Ok(1_000));
}
