//! Guests that wait in functions of WASI, on tokio.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::{Duration, Instant};

use precast::wasi::{Builder, Captured, Tokio};
use precast::{Instance, Namespace, Runtime, TrapCode};

use super::{compile, typed};

/// A guest whose descriptor 3 is a socket.
const GUEST: &str = r#"(module $guest
  (import "wasi_snapshot_preview1" "poll_oneoff"
    (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_accept" (func $accept (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_recv"
    (func $recv (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
  (memory (export "memory") 1)
  ;; A subscription at 0: the monotonic clock, in nanoseconds from now.
  (func $sleep (export "sleep") (param i64) (result i32)
    (i64.store (i32.const 0) (i64.const 7))
    (i32.store8 (i32.const 8) (i32.const 0))
    (i32.store (i32.const 16) (i32.const 1))
    (i64.store (i32.const 24) (local.get 0))
    (call $poll (i32.const 0) (i32.const 200) (i32.const 1) (i32.const 400)))
  ;; Polls for a byte of descriptor 3, at most so many nanoseconds. Gives the event's user data.
  (func (export "poll") (param i64) (result i64)
    (i64.store (i32.const 0) (i64.const 7))
    (i32.store (i32.const 16) (i32.const 1))
    (i64.store (i32.const 24) (local.get 0))
    (i64.store (i32.const 48) (i64.const 8))
    (i32.store8 (i32.const 56) (i32.const 1))
    (i32.store (i32.const 64) (i32.const 3))
    (if (call $poll (i32.const 0) (i32.const 200) (i32.const 2) (i32.const 400))
      (then (unreachable)))
    (if (i32.ne (i32.load (i32.const 400)) (i32.const 1)) (then (unreachable)))
    (i64.load (i32.const 200)))
  ;; Reads a byte with `fd_read` or `sock_recv`.
  (func $buffer
    (i32.store (i32.const 100) (i32.const 120))
    (i32.store (i32.const 104) (i32.const 1)))
  (func (export "read") (param i32) (result i32)
    (call $buffer)
    (if (call $read (local.get 0) (i32.const 100) (i32.const 1) (i32.const 112))
      (then (unreachable)))
    (i32.add (i32.load8_u (i32.const 120)) (i32.mul (i32.const 256) (i32.load (i32.const 112)))))
  (func (export "recv") (param i32) (result i32)
    (call $buffer)
    (if (call $recv (local.get 0) (i32.const 100) (i32.const 1) (i32.const 0) (i32.const 112)
                    (i32.const 116))
      (then (unreachable)))
    (i32.load8_u (i32.const 120)))
  (func (export "accept") (result i32)
    (if (call $accept (i32.const 3) (i32.const 0) (i32.const 112)) (then (unreachable)))
    (i32.load (i32.const 112)))
  ;; Writes 64 KiB so often to descriptor 3. Gives the bytes that were written.
  (func (export "write") (param i32) (result i32) (local i32)
    (i32.store (i32.const 100) (i32.const 0))
    (i32.store (i32.const 104) (i32.const 65536))
    (loop
      (if (call $write (i32.const 3) (i32.const 100) (i32.const 1) (i32.const 112))
        (then (unreachable)))
      (local.set 1 (i32.add (local.get 1) (i32.load (i32.const 112))))
      (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get 1))
  (func (export "yield") (param i32)
    (loop
      (if (call $yield) (then (unreachable)))
      (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"#;

fn guest(runtime: &Runtime, builder: &Builder) -> (Box<Namespace>, Instance) {
    let mut ns = runtime.namespace();
    builder.instantiate(&mut ns).unwrap();
    let instance = ns.instantiate(&compile(runtime, GUEST)).unwrap();
    (ns, instance)
}

/// Runs a future on tokio, with one thread.
fn on_one_thread<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

const MILLISECOND: i64 = 1_000_000;

#[test]
fn guests_sleep_on_one_thread() {
    let (runtime, builder) = (Runtime::new(), Builder::new().events(Tokio));
    on_one_thread(async {
        let started = Instant::now();
        let tasks: Vec<_> = (0..100)
            .map(|_| {
                let (mut ns, instance) = guest(&runtime, &builder);
                tokio::spawn(async move {
                    let sleep = typed::<i64, i32>(&ns, instance, "sleep");
                    sleep.call_async(&mut ns, 1000 * MILLISECOND).await.unwrap()
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), 0);
        }
        let elapsed = started.elapsed();
        assert!(elapsed >= Duration::from_millis(1000), "{elapsed:?}");
        assert!(elapsed < Duration::from_secs(50), "they slept one after another: {elapsed:?}");
    });
}

#[test]
fn a_guest_that_is_called_plainly_blocks() {
    let (runtime, builder) = (Runtime::new(), Builder::new().events(Tokio));
    let (mut ns, instance) = guest(&runtime, &builder);
    let started = Instant::now();
    let sleep = typed::<i64, i32>(&ns, instance, "sleep");
    assert_eq!(sleep.call(&mut ns, 20 * MILLISECOND).unwrap(), 0);
    assert!(started.elapsed() >= Duration::from_millis(19));
    let (mut writer, reader) = UnixStream::pair().unwrap();
    let (mut ns, instance) = guest(&runtime, &builder.socket(reader));
    writer.write_all(b"a").unwrap();
    let read = typed::<i32, i32>(&ns, instance, "read");
    assert_eq!(read.call(&mut ns, 3).unwrap(), 256 + i32::from(b'a'));
    typed::<i32, ()>(&ns, instance, "yield").call(&mut ns, 2).unwrap();
}

#[test]
fn a_deadline_ends_a_sleep() {
    let (mut ns, instance) = guest(&Runtime::new(), &Builder::new().events(Tokio));
    let sleep = typed::<i64, i32>(&ns, instance, "sleep");
    on_one_thread(async {
        let timeout = Duration::from_millis(20);
        let call = ns.with_timeout_async(timeout, async |ns| sleep.call_async(ns, i64::MAX).await);
        let error = call.await.unwrap_err();
        let trap = error.trap().unwrap();
        assert_eq!(trap.code(), TrapCode::DeadlineExceeded);
        assert_eq!(trap.frames()[0].func_name.as_deref(), Some("sleep"));
    });
}

#[test]
fn a_guest_of_preview_0_sleeps() {
    let text = GUEST
        .replace("wasi_snapshot_preview1", "wasi_unstable")
        .replace("(i32.const 16) (i32.const 1)", "(i32.const 24) (i32.const 1)")
        .replace("(i32.const 24) (local.get 0)", "(i32.const 32) (local.get 0)");
    let runtime = Runtime::new();
    let mut ns = runtime.namespace();
    Builder::new().preview0(true).events(Tokio).instantiate(&mut ns).unwrap();
    let instance = ns.instantiate(&compile(&runtime, &text)).unwrap();
    let sleep = typed::<i64, i32>(&ns, instance, "sleep");
    on_one_thread(async {
        let (started, other) = (Instant::now(), tokio::time::sleep(Duration::from_millis(10)));
        let other = tokio::spawn(async move {
            other.await;
            Instant::now()
        });
        assert_eq!(sleep.call_async(&mut ns, 100 * MILLISECOND).await.unwrap(), 0);
        assert!(started.elapsed() >= Duration::from_millis(99));
        assert!(other.is_finished(), "the guest held the thread");
        other.await.unwrap();
    });
}

/// Writes bytes when the other tasks of the thread have run for a while.
async fn write_later(mut writer: UnixStream, bytes: &'static [u8]) -> UnixStream {
    tokio::time::sleep(Duration::from_millis(30)).await;
    writer.write_all(bytes).unwrap();
    writer
}

#[test]
fn a_guest_waits_for_bytes_of_a_socket() {
    let runtime = Runtime::new();
    for name in ["read", "recv"] {
        let (writer, reader) = UnixStream::pair().unwrap();
        let (mut ns, instance) = guest(&runtime, &Builder::new().socket(reader).events(Tokio));
        on_one_thread(async {
            let writer = tokio::spawn(write_later(writer, b"xy"));
            let read = typed::<i32, i32>(&ns, instance, name);
            // If this blocked the thread, nobody would write.
            assert_eq!(read.call_async(&mut ns, 3).await.unwrap() & 255, i32::from(b'x'));
            assert_eq!(read.call_async(&mut ns, 3).await.unwrap() & 255, i32::from(b'y'));
            drop(writer.await.unwrap());
            // The end is ready too: `fd_read` gives no bytes, and leaves the buffer.
            assert_eq!(read.call_async(&mut ns, 3).await.unwrap(), i32::from(b'y'));
        });
    }
}

#[test]
fn a_guest_waits_for_room_in_a_socket() {
    const WRITES: i32 = 200;
    let (mut reader, writer) = UnixStream::pair().unwrap();
    reader.set_nonblocking(true).unwrap();
    let (mut ns, instance) = guest(&Runtime::new(), &Builder::new().socket(writer).events(Tokio));
    let written = on_one_thread(async {
        // More than any socket holds. If a write blocked the thread, nobody would read.
        let reader = tokio::spawn(async move {
            let (mut bytes, mut read) = (vec![0; 1 << 20], 0);
            loop {
                match reader.read(&mut bytes) {
                    Ok(0) => return read,
                    Ok(more) => read += more,
                    Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
                }
            }
        });
        let write = typed::<i32, i32>(&ns, instance, "write");
        let written = write.call_async(&mut ns, WRITES).await.unwrap();
        drop(ns);
        assert_eq!(reader.await.unwrap(), written as usize);
        written
    });
    assert!(written > 1 << 20, "{written}");
}

#[test]
fn a_guest_polls_a_socket_and_a_clock() {
    let (writer, reader) = UnixStream::pair().unwrap();
    let builder = Builder::new().socket(reader).events(Tokio);
    let (mut ns, instance) = guest(&Runtime::new(), &builder);
    on_one_thread(async {
        let poll = typed::<i64, i64>(&ns, instance, "poll");
        assert_eq!(poll.call_async(&mut ns, MILLISECOND).await.unwrap(), 7);
        let writer = tokio::spawn(write_later(writer, b"x"));
        assert_eq!(poll.call_async(&mut ns, i64::MAX).await.unwrap(), 8);
        drop(writer.await.unwrap());
    });
}

#[test]
fn a_guest_accepts_connections() {
    let dir = std::env::temp_dir().join(format!("precast-async-{}", std::process::id()));
    let _ = std::fs::remove_file(&dir);
    let listener = UnixListener::bind(&dir).unwrap();
    let builder = Builder::new().socket(listener).events(Tokio);
    let (mut ns, instance) = guest(&Runtime::new(), &builder);
    on_one_thread(async {
        let path = dir.clone();
        let client = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(30)).await;
            write_later(UnixStream::connect(path).unwrap(), b"z").await
        });
        let accept = typed::<(), i32>(&ns, instance, "accept");
        let connection = accept.call_async(&mut ns, ()).await.unwrap();
        let read = typed::<i32, i32>(&ns, instance, "recv");
        assert_eq!(read.call_async(&mut ns, connection).await.unwrap(), i32::from(b'z'));
        drop(client.await.unwrap());
    });
    std::fs::remove_file(dir).unwrap();
}

#[test]
fn a_guest_yields_to_other_tasks() {
    let (mut ns, instance) = guest(&Runtime::new(), &Builder::new().events(Tokio));
    on_one_thread(async {
        let counted = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
        let counter = counted.clone();
        let other = tokio::spawn(async move {
            loop {
                counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        });
        let run = typed::<i32, ()>(&ns, instance, "yield");
        run.call_async(&mut ns, 100).await.unwrap();
        other.abort();
        assert!(counted.load(std::sync::atomic::Ordering::Relaxed) > 10);
    });
}

#[test]
fn calls_that_wait_are_traced() {
    let trace = Captured::new();
    let builder = Builder::new().events(Tokio).trace(trace.clone());
    let (mut ns, instance) = guest(&Runtime::new(), &builder);
    on_one_thread(async {
        let sleep = typed::<i64, i32>(&ns, instance, "sleep");
        assert_eq!(sleep.call_async(&mut ns, MILLISECOND).await.unwrap(), 0);
        let run = typed::<i32, ()>(&ns, instance, "yield");
        run.call_async(&mut ns, 1).await.unwrap();
    });
    let text = String::from_utf8(trace.take()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[0].contains("poll_oneoff(") && lines[1].contains("sched_yield("), "{text}");
}
