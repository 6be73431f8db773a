//! Interruption: stopping the calls of a namespace from another thread, or at a deadline.

use crate::instance::Instance;
use crate::namespace::Namespace;
use crate::vm::activation::interrupt::{Deadline, Interrupt};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Stops the calls of a namespace, from any thread. Made by [`Namespace::interrupt_handle`]. Clones
/// are handles on the same namespace.
#[derive(Clone)]
pub struct InterruptHandle(Arc<Interrupt>);

impl InterruptHandle {
    /// Stops the calls that run in the namespace. If none runs, the next one fails instead. If the
    /// namespace is gone, nothing happens.
    ///
    /// WebAssembly code stops at once, wherever it is. A WASI function that waits returns, and a
    /// host function is left to end: then the guest that called it stops. The call fails with the
    /// trap [`TrapCode::Interrupted`](crate::TrapCode::Interrupted), whose backtrace says where the
    /// guest was.
    ///
    /// The guest may have stopped in the middle of a change. So the instance that the host called
    /// cannot be called any more: that fails with
    /// [`ErrorKind::Interrupted`](crate::ErrorKind::Interrupted). The same holds for instances that
    /// are linked to it, because they import from each other or from the same instances. All other
    /// instances are as before.
    ///
    /// The task of an async call whose guest waits is woken, and the call stops when it is polled.
    ///
    /// Returns before the call has stopped. The signal `SIGURG` interrupts the thread, so that
    /// system calls of host functions may fail with `EINTR`; the standard library repeats most of
    /// them. A host function must not block this signal.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use precast_runtime::{Runtime, TrapCode};
    ///
    /// let runtime = Runtime::new();
    /// # let text = r#"(module (func (export "run") (loop (br 0))))"#;
    /// # let wasm = wat::parse_str(text)?;
    /// let module = runtime.compile(&wasm)?; // `run` is an endless loop.
    /// let mut namespace = runtime.namespace();
    /// let instance = namespace.instantiate(&module)?;
    /// let handle = namespace.interrupt_handle();
    /// let watcher = std::thread::spawn(move || handle.interrupt());
    /// let error = instance.call(&mut namespace, "run", &[]).unwrap_err();
    /// assert_eq!(error.trap().unwrap().code(), TrapCode::Interrupted);
    /// # watcher.join().unwrap();
    /// # Ok(())
    /// # }
    /// ```
    pub fn interrupt(&self) {
        self.0.request();
    }
}

impl std::fmt::Debug for InterruptHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InterruptHandle").finish_non_exhaustive()
    }
}

impl Namespace {
    /// A handle with which any thread can stop the calls of this namespace. Calls of a namespace
    /// that has handles take some nanoseconds longer to begin and end; WebAssembly code is as fast
    /// as without.
    pub fn interrupt_handle(&mut self) -> InterruptHandle {
        InterruptHandle(self.store_mut().interrupt())
    }

    /// Runs `f`, with a deadline for the calls in this namespace that begin in it: instantiations
    /// too, as far as they run WebAssembly code.
    ///
    /// A call that runs at the deadline stops as if [`InterruptHandle::interrupt`] had stopped it,
    /// and calls that begin later fail, all with the trap
    /// [`TrapCode::DeadlineExceeded`](crate::TrapCode::DeadlineExceeded). Calls around `f`, whose
    /// host function uses this, go on, unless they are calls of an instance that was stopped.
    /// Deadlines nest: the earliest one counts.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use precast_runtime::{Runtime, TrapCode};
    /// use std::time::Duration;
    ///
    /// let runtime = Runtime::new();
    /// # let text = r#"(module (func (export "run") (loop (br 0))))"#;
    /// # let wasm = wat::parse_str(text)?;
    /// let module = runtime.compile(&wasm)?; // `run` is an endless loop.
    /// let mut namespace = runtime.namespace();
    /// let instance = namespace.instantiate(&module)?;
    /// let run = instance.typed::<(), ()>(&namespace, "run")?;
    /// let result = namespace.with_timeout(Duration::from_millis(5), |namespace| run.call(namespace, ()));
    /// assert_eq!(result.unwrap_err().trap().unwrap().code(), TrapCode::DeadlineExceeded);
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_deadline<R>(
        &mut self,
        deadline: Instant,
        f: impl FnOnce(&mut Namespace) -> R,
    ) -> R {
        let _deadline = Deadline::new(self.store_mut(), deadline);
        f(self)
    }

    /// As [`Namespace::with_deadline`], with a deadline that is `timeout` from now.
    pub fn with_timeout<R>(&mut self, timeout: Duration, f: impl FnOnce(&mut Namespace) -> R) -> R {
        match Instant::now().checked_add(timeout) {
            Some(deadline) => self.with_deadline(deadline, f),
            // A time that no clock reaches.
            None => f(self),
        }
    }
}

impl Instance {
    /// Whether the instance was interrupted, or is linked to one that was, so that it cannot be
    /// called any more. Its memories, tables and globals can still be read.
    ///
    /// # Panics
    ///
    /// If the instance belongs to another namespace.
    pub fn is_interrupted(&self, namespace: &Namespace) -> bool {
        namespace.own(self.store);
        namespace.store().is_interrupted(self.index)
    }
}
