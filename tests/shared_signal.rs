//! Interrupts in a process that uses their signal too, as Go's runtime does, and in threads that block
//! it. It is one test, because signal actions belong to the whole process.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{
    SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, raise, sigaction, sigprocmask,
};
use precast::{Runtime, TrapCode};

const SIGNAL: Signal = Signal::SIGURG;

static SEEN: AtomicU32 = AtomicU32::new(0);

extern "C" fn count(_: i32) {
    SEEN.fetch_add(1, Ordering::Relaxed);
}

/// Runs an endless loop until its deadline.
fn is_stopped() {
    let runtime = Runtime::new();
    let text = r#"(module (func (export "run") (loop (br 0))))"#;
    let module = runtime.compile(&wat::parse_str(text).unwrap()).unwrap();
    let mut namespace = runtime.namespace();
    let instance = namespace.instantiate(&module).unwrap();
    let run = instance.typed::<(), ()>(&namespace, "run").unwrap();
    let soon = Duration::from_millis(20);
    let error = namespace.with_timeout(soon, |namespace| run.call(namespace, ())).unwrap_err();
    assert_eq!(error.trap().unwrap().code(), TrapCode::DeadlineExceeded);
}

#[test]
fn others_may_use_the_signal_of_interrupts() {
    let action = SigAction::new(SigHandler::Handler(count), SaFlags::SA_ONSTACK, SigSet::empty());
    // SAFETY: the handler changes an atomic number.
    unsafe { sigaction(SIGNAL, &action) }.unwrap();
    raise(SIGNAL).unwrap();
    assert_eq!(SEEN.load(Ordering::Relaxed), 1);

    // Now the runtime's handler is there, and passes on what it does not use.
    is_stopped();
    let before = SEEN.load(Ordering::Relaxed);
    for n in 1..=3 {
        raise(SIGNAL).unwrap();
        assert_eq!(SEEN.load(Ordering::Relaxed), before + n);
    }
    is_stopped();

    // A thread that inherits a mask which blocks all signals.
    let mut all = SigSet::all();
    all.thread_block().unwrap();
    thread::spawn(is_stopped).join().unwrap();
    thread::spawn(|| {
        let mut mask = SigSet::empty();
        is_stopped();
        sigprocmask(SigmaskHow::SIG_SETMASK, None, Some(&mut mask)).unwrap();
        assert!(!mask.contains(SIGNAL) && mask.contains(Signal::SIGTERM));
    })
    .join()
    .unwrap();
    all.remove(SIGNAL);
    all.thread_unblock().unwrap();
}
