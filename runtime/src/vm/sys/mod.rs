//! What is particular to an instruction set or an operating system.
//!
//! Everything outside this folder is free of `cfg(target_arch)` and `cfg(target_os)`, which
//! `tests/tidy.rs` checks.

/// Makes the table of CPU features that can be told apart, by the names artifacts use, and the
/// function that looks one up.
macro_rules! features {
    ($($name:literal => $detected:expr,)*) => {
        /// The features that can be told apart, by the names artifacts use.
        #[cfg(feature = "cache")]
        const FEATURES: &[&str] = &[$($name),*];

        /// Whether the CPU has a feature, by the name artifacts use.
        pub(crate) fn has_feature(name: &str) -> bool {
            match name {
                $($name => $detected,)*
                _ => false,
            }
        }

        /// What the CPU can do, by the names artifacts use.
        #[cfg(feature = "cache")]
        pub(crate) fn features() -> String {
            let names: Vec<&str> =
                FEATURES.iter().copied().filter(|name| has_feature(name)).collect();
            names.join(",")
        }
    };
}

#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
mod isa;
mod linux;

#[cfg(feature = "cache")]
pub(crate) use isa::features;
pub(crate) use isa::has_feature;
pub(super) use isa::{
    DIRECT_CALLS, DIRECT_FLOATS, DIRECT_INTEGERS, direct_entry, frame, publish_code, registers,
    resume, set_registers, stack_pointer,
};
#[cfg(feature = "cache")]
pub(super) use linux::is_exposed;
#[cfg(feature = "cache")]
pub(crate) use linux::is_unwritten;
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
