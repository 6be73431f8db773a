//! What is particular to an instruction set or an operating system.
//!
//! Everything outside this folder is free of `cfg(target_arch)` and `cfg(target_os)`, which
//! `tests/tidy.rs` checks.

#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
mod isa;
mod linux;

pub(crate) use isa::has_feature;
pub(super) use isa::{
    DIRECT_CALLS, DIRECT_FLOATS, DIRECT_INTEGERS, direct_entry, frame, publish_code, registers,
    resume, set_registers,
};
pub(super) use linux::{
    PageRange, SigAltStack, address_space, dirty_pages, install_handlers, page_size, thread_stack,
};

/// The registers that unwinding needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Registers {
    /// The instruction that was stopped.
    pub(super) pc: usize,
    /// The stack pointer.
    pub(super) sp: usize,
    /// The frame pointer.
    pub(super) fp: usize,
}
