//! The limit of the guest's stack, and a thread with a stack of this size.

use std::panic::resume_unwind;
use std::thread;

use anyhow::{Context, Result};
use bytesize::ByteSize;
use clap::Args;
use precast::Config;
use rustix::process::{Resource, getrlimit};

/// Options for the stack of the guest.
#[derive(Args)]
pub(crate) struct StackOptions {
    /// The maximum size of the program's stack, as in 8MiB. A program that exceeds it traps.
    #[arg(long, value_name = "SIZE", default_value = "1MiB")]
    max_stack: ByteSize,
}

/// Stack for this command itself, besides the guest and the host functions that it calls.
const OWN: u64 = 1 << 20;

impl StackOptions {
    /// Adds the limit to the settings.
    pub(crate) fn configure(&self, config: Config) -> Config {
        config.max_stack(usize::try_from(self.max_stack.as_u64()).unwrap_or(usize::MAX))
    }

    /// Runs `work` with enough stack: on this thread, which is the main thread, or on a new one.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        let needed = self.max_stack.as_u64().saturating_add(OWN);
        if getrlimit(Resource::Stack).current.is_none_or(|there| there >= needed) {
            return work();
        }
        thread::scope(|scope| {
            // At most a size that exceeds any address space, so that the system refuses it.
            let size = usize::try_from(needed.min(1 << 47)).unwrap_or(usize::MAX);
            let thread = thread::Builder::new().stack_size(size).spawn_scoped(scope, work);
            let thread =
                thread.with_context(|| format!("cannot reserve a stack of {}", self.max_stack))?;
            thread.join().unwrap_or_else(|panic| resume_unwind(panic))
        })
    }
}
