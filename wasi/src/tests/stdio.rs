//! Tests of standard streams, arguments, clocks and random numbers.

use std::time::Duration;

use super::*;
use crate::calls::args::{args_get, args_sizes_get, environ_get, environ_sizes_get};
use crate::calls::clock::clock_time_get;
use crate::calls::random::random_get;
use crate::fd::{Captured, Input, Output};
use crate::limits::Limits;

#[test]
fn nothing_is_granted_by_default() {
    let mut guest = Guest::new(Builder::new());
    assert_eq!(guest.read(0, 10).unwrap(), b"");
    assert_eq!(guest.write(1, b"x"), Ok(1));
    assert_eq!(guest.write(2, b"x"), Ok(1));
    assert_eq!(guest.read(1, 10), Err(Errno::Badf));
    assert_eq!(guest.write(0, b"x"), Err(Errno::Badf));
    assert_eq!(guest.read(3, 10), Err(Errno::Badf));
}

#[test]
fn streams_of_the_embedder() {
    let (out, err) = (Captured::new(), Captured::new());
    let reader = std::io::Cursor::new(b"from a reader".to_vec());
    let builder = Builder::new().stdin(Input::bytes("from bytes")).stdout(&out).stderr(&err);
    let blueprint = builder.blueprint().unwrap();
    for _ in 0..2 {
        let mut guest = Guest { wasi: blueprint.instantiate().unwrap(), memory: vec![0; 0x10000] };
        assert_eq!(guest.read(0, 4).unwrap(), b"from");
        assert_eq!(guest.read(0, 100).unwrap(), b" bytes");
        assert_eq!(guest.read(0, 100).unwrap(), b"");
        guest.write(1, b"out").unwrap();
        guest.write(2, b"err").unwrap();
    }
    assert_eq!(out.contents(), b"outout");
    assert_eq!(err.take(), b"errerr");
    assert_eq!(err.contents(), b"");

    let mut guest = Guest::new(builder.stdin(Input::reader(reader)).stdout(Output::writer(Broken)));
    assert_eq!(guest.read(0, 100).unwrap(), b"from a reader");
    assert_eq!(guest.write(1, b"x"), Err(Errno::Pipe));
}

/// A writer that fails like a pipe without a reader.
struct Broken;

impl std::io::Write for Broken {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::BrokenPipe.into())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A writer that takes three bytes at a time.
struct Slow(Captured);

impl std::io::Write for Slow {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        let n = buf.len().min(3);
        match Output::from(&self.0).0 {
            crate::fd::OutputKind::Writer(writer) => writer.lock().unwrap().write(&buf[..n]),
            _ => unreachable!(),
        }
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_writer_is_given_all_buffers() {
    let captured = Captured::new();
    let mut guest = Guest::new(Builder::new().stdout(Output::writer(Slow(captured.clone()))));
    guest.put(DATA, b"hello world");
    for (i, (ptr, len)) in [(DATA, 6), (DATA + 6, 5)].into_iter().enumerate() {
        guest.put(IOVS + i as u32 * 8, &u32::to_le_bytes(ptr));
        guest.put(IOVS + i as u32 * 8 + 4, &u32::to_le_bytes(len));
    }
    guest.call(|w, m| fd_io::fd_write(w, m, 1, IOVS, 2, OUT)).unwrap();
    assert_eq!(guest.u32(OUT), 11);
    assert_eq!(captured.contents(), b"hello world");
}

#[test]
fn arguments_and_environment() {
    let builder = Builder::new().arg("prog").args(["-v"]).env("A", "1").env("B", "").env("A", "2");
    let mut guest = Guest::new(builder);
    guest.call(|w, m| args_sizes_get(w, m, OUT, OUT + 4)).unwrap();
    assert_eq!((guest.u32(OUT), guest.u32(OUT + 4)), (2, 8));
    guest.call(|w, m| args_get(w, m, OUT, DATA)).unwrap();
    assert_eq!((guest.u32(OUT), guest.u32(OUT + 4)), (DATA, DATA + 5));
    assert_eq!(guest.get(DATA, 8), b"prog\0-v\0");
    guest.call(|w, m| environ_sizes_get(w, m, OUT, OUT + 4)).unwrap();
    assert_eq!((guest.u32(OUT), guest.u32(OUT + 4)), (2, 7));
    guest.call(|w, m| environ_get(w, m, OUT, DATA)).unwrap();
    assert_eq!(guest.get(DATA, 7), b"A=2\0B=\0");
    assert_eq!(guest.call(|w, m| environ_get(w, m, OUT, 0xfffc)), Err(Errno::Fault));
    assert!(Builder::new().arg("a\0b").blueprint().is_err());
    assert!(Builder::new().dir("/does/not/exist", "/").blueprint().is_err());
}

#[test]
fn descriptors_are_limited() {
    let mut limits = Limits { descriptors: 5, ..Limits::default() };
    let temp = TempDir::new();
    let builder = Builder::new().dir(temp.path(), "/").limits(limits);
    let mut guest = Guest::new(builder.clone());
    assert_eq!(guest.open("a", CREAT, true), Ok(4));
    assert_eq!(guest.open("b", CREAT, true), Err(Errno::Mfile));
    assert!(!temp.path().join("b").exists(), "no file is created without a descriptor for it");
    assert_eq!(guest.close(4), Ok(()));
    assert_eq!(guest.open("b", CREAT, true), Ok(4));
    limits.descriptors = 3;
    assert!(
        builder.limits(limits).blueprint().is_err(),
        "the granted descriptors exceed the limit"
    );
}

#[test]
fn fixed_clocks_and_a_seed_make_runs_repeatable() {
    let run = || {
        let clock = Duration::from_nanos(1_234);
        let mut guest = Guest::new(Builder::new().fixed_clocks(clock).random_seed(7));
        guest.call(|w, m| clock_time_get(w, m, 0, 0, OUT)).unwrap();
        guest.call(|w, m| random_get(w, m, DATA, 100)).unwrap();
        (guest.u64(OUT), guest.get(DATA, 100).to_vec())
    };
    assert_eq!(run(), run());
    assert_eq!(run().0, 1_234);
}

#[test]
fn random_bytes_fill_the_buffer_alone() {
    for builder in [Builder::new(), Builder::new().random_seed(7)] {
        let mut guest = Guest::new(builder);
        assert_eq!(guest.call(|w, m| random_get(w, m, DATA, u32::MAX)), Err(Errno::Fault));
        assert_eq!(guest.call(|w, m| random_get(w, m, 0x10000, 0)), Ok(()));
        assert_eq!(guest.call(|w, m| random_get(w, m, 0x10001, 0)), Err(Errno::Fault));
        assert_eq!(guest.call(|w, m| random_get(w, m, 0x10000 - 63, 64)), Err(Errno::Fault));
        assert!(guest.memory.iter().all(|&byte| byte == 0), "a failed call writes nothing");
        // A zero for which a guest waits 40 times is no accident.
        for (at, len) in [(0x10000 - 64, 64), (DATA, 0), (DATA, 1), (DATA + 7, 5000)] {
            guest.memory.fill(0);
            let mut seen = vec![0; len as usize];
            for _ in 0..40 {
                assert_eq!(guest.call(|w, m| random_get(w, m, at, len)), Ok(()));
                seen.iter_mut().zip(guest.get(at, len)).for_each(|(seen, byte)| *seen |= byte);
            }
            assert!(seen.iter().all(|&byte| byte != 0), "every byte of {len} is written");
            let (before, after) = (at as usize, (at + len) as usize);
            let mut others = guest.memory[..before].iter().chain(&guest.memory[after..]);
            assert!(others.all(|&byte| byte == 0), "no byte around {len} is written");
        }
    }
}

#[test]
fn instances_draw_different_random_bytes() {
    let blueprint = Builder::new().blueprint().unwrap();
    let mut seen = std::collections::HashSet::new();
    for _ in 0..200 {
        let mut guest = Guest { wasi: blueprint.instantiate().unwrap(), memory: vec![0; 0x10000] };
        for _ in 0..2 {
            guest.call(|w, m| random_get(w, m, DATA, 16)).unwrap();
            assert!(seen.insert(guest.get(DATA, 16).to_vec()));
        }
    }
}

#[test]
fn captured_output_has_a_limit() {
    let captured = crate::Captured::with_limit(5);
    let mut guest = Guest::new(Builder::new().stdout(&captured));
    assert_eq!(guest.write(1, b"abc"), Ok(3));
    assert_eq!(guest.write(1, b"defg"), Ok(2), "as much as fits");
    assert_eq!(guest.write(1, b"h"), Err(Errno::Nospc));
    assert_eq!(guest.write(1, b""), Ok(0));
    assert_eq!(captured.take(), b"abcde");
    assert_eq!(guest.write(1, b"ijk"), Ok(3));
}
