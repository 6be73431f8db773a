//! Tests that a forked child does not repeat the random numbers of its parent or of another child, and
//! that its calls have deadlines.

use std::collections::HashSet;
use std::io::{Read, Write, pipe};
use std::time::Duration;

use nix::libc;
use precast::{CompiledModule, Runtime, TrapCode};
use precast_wasi::{Builder, Errno};

#[path = "../wasi/tests/common/mod.rs"]
mod common;
use common::Guest;

/// The bytes of a request. A generator gives several of these from one refill.
const LEN: usize = 100;

fn draw(guest: &mut Guest) -> Vec<u8> {
    const AT: usize = 4096;
    assert_eq!(guest.call("random_get", &[AT as u64, LEN as u64]), Errno::Success);
    guest.memory()[AT..AT + LEN].to_vec()
}

/// What a forked child draws twice from a guest that its parent has used.
fn draw_in_child(guest: &mut Guest, fork: unsafe fn() -> libc::pid_t) -> Vec<u8> {
    let (mut reader, mut writer) = pipe().unwrap();
    // SAFETY: the thread that forks holds no lock, and the child ends without the destructors of this
    // program.
    let child = unsafe { fork() };
    assert!(child >= 0);
    if child == 0 {
        let bytes = [draw(guest), draw(guest)].concat();
        let sent = writer.write_all(&bytes);
        // SAFETY: it only ends the process.
        unsafe { libc::_exit(i32::from(sent.is_err())) };
    }
    drop(writer);
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).unwrap();
    let mut status = 1;
    // SAFETY: the status is writable.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    assert_eq!((status, bytes.len()), (0, 2 * LEN));
    bytes
}

/// A fork as programs make it.
unsafe fn fork_with_library() -> libc::pid_t {
    // SAFETY: by the caller's reasons.
    unsafe { libc::fork() }
}

/// A fork by the system call, of which the C library does not know.
unsafe fn fork_without_library() -> libc::pid_t {
    // SAFETY: by the caller's reasons. Without flags and stack, `clone` is a fork.
    unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) as libc::pid_t }
}

#[test]
fn a_forked_child_repeats_no_random_numbers() {
    let mut guest = Guest::new(&Builder::new());
    let mut texts = vec![draw(&mut guest)];
    let forks: [unsafe fn() -> libc::pid_t; 2] = [fork_with_library, fork_without_library];
    for fork in forks {
        for _ in 0..2 {
            texts.push(draw_in_child(&mut guest, fork));
            texts.push(draw(&mut guest));
        }
    }
    let mut seen = HashSet::new();
    for text in &texts {
        let words: HashSet<&[u8]> = text.windows(8).collect();
        assert!(words.iter().all(|word| seen.insert(*word)), "two processes drew the same bytes");
    }
}

/// Whether an endless loop is stopped at its deadline.
fn is_stopped(module: &CompiledModule) -> bool {
    let mut namespace = module.runtime().namespace();
    let instance = namespace.instantiate(module).unwrap();
    let run = instance.typed::<(), ()>(&namespace, "run").unwrap();
    let soon = Duration::from_millis(20);
    let result = namespace.with_timeout(soon, |namespace| run.call(namespace, ()));
    let trap = result.unwrap_err().trap().map(|trap| trap.code());
    trap == Some(TrapCode::DeadlineExceeded)
}

#[test]
fn calls_of_a_forked_child_have_deadlines() {
    let runtime = Runtime::new();
    let text = r#"(module (func (export "run") (loop (br 0))))"#;
    let module = runtime.compile(&wat::parse_str(text).unwrap()).unwrap();
    assert!(is_stopped(&module));
    for _ in 0..3 {
        // SAFETY: the thread that forks holds no lock, and the child ends without the destructors of
        // this program.
        let child = unsafe { libc::fork() };
        assert!(child >= 0);
        if child == 0 {
            let stopped = is_stopped(&module) && is_stopped(&module);
            // SAFETY: it only ends the process.
            unsafe { libc::_exit(i32::from(!stopped)) };
        }
        assert!(is_stopped(&module));
        let mut status = 1;
        // SAFETY: the status is writable.
        assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
        assert_eq!(status, 0);
    }
}
