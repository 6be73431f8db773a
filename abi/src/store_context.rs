//! The store context: the state that machine code reads and all instances of a namespace share.
//!
//! ```text
//!    0  stack limit   8   lowest stack pointer at which WebAssembly may call
//!    8  fuel          8   operators that may still be executed, signed
//! ```
//!
//! Contexts of instances and records of host functions point to it, so a call into the namespace
//! sets the limit once for all instances.

/// Lowest stack pointer, `u64`, at which a WebAssembly function may call another or the host.
pub const STACK_LIMIT: i32 = 0;

/// Operators that may still be executed, `i64`. Read and written only by code that counts them. It is
/// negative when more were executed than there was fuel.
pub const FUEL: i32 = 8;

/// Bytes of the store context.
pub const SIZE: u32 = 16;
