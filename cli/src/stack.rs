//! The stack that a guest may use, and a thread that has it.

use std::panic::resume_unwind;
use std::thread;

use anyhow::{Context, Result};
use bytesize::ByteSize;
use clap::Args;
use precast::Config;
use rustix::process::{Resource, getrlimit};

/// How much stack a guest may use.
#[derive(Args)]
pub(crate) struct StackOptions {
    /// Most stack the program may use, as in 8MiB. What exceeds it is a trap.
    #[arg(long, value_name = "SIZE", default_value = "1MiB")]
    max_stack: ByteSize,
}

/// Stack for what is neither the guest's nor that of the host functions it calls.
const OWN: u64 = 1 << 20;

impl StackOptions {
    /// Adds the bound.
    pub(crate) fn configure(&self, config: Config) -> Config {
        config.max_stack(usize::try_from(self.max_stack.as_u64()).unwrap_or(usize::MAX))
    }

    /// Runs `work` where there is so much stack: on this thread, which is the main one, or else on
    /// one of its own.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        let needed = self.max_stack.as_u64().saturating_add(OWN);
        if getrlimit(Resource::Stack).current.is_none_or(|there| there >= needed) {
            return work();
        }
        thread::scope(|scope| {
            // Beyond any address space, so that the system refuses it.
            let size = usize::try_from(needed.min(1 << 47)).unwrap_or(usize::MAX);
            let thread = thread::Builder::new().stack_size(size).spawn_scoped(scope, work);
            let thread = thread.with_context(|| format!("a stack of {}", self.max_stack))?;
            thread.join().unwrap_or_else(|panic| resume_unwind(panic))
        })
    }
}
