//! An activation: a call of the host into WebAssembly, from its entry to its return or trap.

mod backtrace;
pub(crate) mod call;
pub(in crate::vm) mod stack;
pub(in crate::vm) mod thread;
mod traps;
pub(crate) mod typed;
pub(in crate::vm) mod unwind;
