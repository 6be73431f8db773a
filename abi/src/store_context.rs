//! The store context: the state that machine code reads and all instances of a namespace share.
//!
//! ```text
//!    0  stack limit   8   lowest stack pointer at which WebAssembly may call
//!    8  fuel used     8   `u64::MAX` minus the operators that may still be executed
//! ```
//!
//! Contexts of instances and records of host functions point to it, so a call into the namespace
//! sets the limit once for all instances.

/// Lowest stack pointer, `u64`, at which a WebAssembly function may call another or the host.
pub const STACK_LIMIT: i32 = 0;

/// `u64::MAX` minus the operators that may still be executed, `u64`. Code that counts operators adds to
/// it, and traps with [`TrapCode::OutOfFuel`](crate::trap::TrapCode::OutOfFuel) where a sum overflows. The
/// field is not up to date then.
pub const FUEL_USED: i32 = 8;

/// The most fuel that code can have. Code subtracts from [`FUEL_USED`] too, at most the number of
/// operators of a function, so the field must not begin at zero.
pub const MOST_FUEL: u64 = i64::MAX as u64;

/// Bytes of the store context.
pub const SIZE: u32 = 16;
