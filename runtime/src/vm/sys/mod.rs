//! Everything that is particular to an instruction set or an operating system.
//!
//! Everything outside this folder is free of `cfg(target_arch)` and `cfg(target_os)`, which
//! `tests/tidy.rs` checks.

/// Makes the table of CPU features that can be detected, by their names in artifacts, and the function
/// that looks one up.
macro_rules! features {
    ($($name:literal => $detected:expr,)*) => {
        /// The features that can be detected, by their names in artifacts.
        #[cfg(feature = "cache")]
        const FEATURES: &[&str] = &[$($name),*];

        /// Whether the CPU has a feature, by its name in artifacts.
        pub(crate) fn has_feature(name: &str) -> bool {
            match name {
                $($name => $detected,)*
                _ => false,
            }
        }

        /// The features of the CPU, by their names in artifacts.
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
    DIRECT_CALLS, DIRECT_FLOATS, DIRECT_INTEGERS, GENERAL_REGISTERS, direct_entry, frame,
    publish_code, resume, stack_pointer,
};
#[cfg(feature = "cache")]
pub(super) use linux::is_exposed;
#[cfg(feature = "cache")]
pub(crate) use linux::is_unwritten;
#[cfg(feature = "async")]
pub(super) use linux::prefer_small_pages;
pub(crate) use linux::refuses_reservations;
#[cfg(test)]
pub(super) use linux::resident_bytes;
pub(super) use linux::{
    PageRange, SigAltStack, StoppedThread, address_space, admit_interrupts, anonymous_file,
    around_forks, barrier_on_all_threads, dirty_pages, drop_pages, install_handlers,
    install_interrupt_handler, interrupt_thread, make_accessible, make_inaccessible, map_file,
    map_wiped_on_fork, map_zeros, map_zeros_at, name_limit, page_size, remap, reserve,
    reserve_apart, resident, thread_id, thread_stack, unmap, unmap_end,
};

/// The registers that unwinding needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Registers {
    /// The program counter.
    pub(super) pc: usize,
    /// The stack pointer.
    pub(super) sp: usize,
    /// The frame pointer.
    pub(super) fp: usize,
}

/// A kind of hardware fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// An access to this address.
    Memory(usize),
    /// A division by zero, or a quotient that does not fit.
    Arithmetic,
    /// An instruction that only traps.
    Instruction,
}
