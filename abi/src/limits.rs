//! Sizes that compiler and runtime rely on: address space around memories, and limits on modules.

/// Bytes of a WebAssembly page.
pub const WASM_PAGE: u64 = 65536;

/// Maximum pages of a 32-bit linear memory: 4 GiB.
pub const MEMORY32_MAX_PAGES: u64 = 65536;

/// Address space that a 32-bit index reaches: 4 GiB.
pub const MEMORY32_SPAN: u64 = 1 << 32;

/// Address space above the 4 GiB that is never mapped.
///
/// Invariant: for every load and store, `static offset + access size <= MEMORY_GUARD`, or the
/// compiler emits an explicit check. So `base + u32 index + offset` either lies in the memory or
/// faults inside its reservation.
pub const MEMORY_GUARD: u64 = 64 << 20;

/// Largest frame, in bytes, of a function that does not compare its stack pointer with the
/// stack limit.
pub const UNCHECKED_FRAME: u64 = 4 << 10;

/// Functions in the longest chain of calls none of which compares its stack pointer with the stack
/// limit.
pub const UNCHECKED_CALLS: u64 = 16;

/// Maximum bytes by which WebAssembly's stack pointer is below the stack limit.
///
/// Invariant: at least as many bytes of stack lie below the limit.
pub const UNCHECKED_STACK: u64 = UNCHECKED_FRAME * UNCHECKED_CALLS;

/// Maximum elements of a table; `table.grow` fails beyond it.
pub const TABLE_MAX_ELEMENTS: u64 = 10_000_000;

/// Maximum bytes of an artifact's initial memory image; the data segments of a larger one are
/// copied.
pub const MEMORY_IMAGE_MAX: u64 = 256 << 20;
