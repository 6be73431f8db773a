//! Sizes both sides rely on: address space around memories, and bounds on what a module may ask.

/// Bytes of a WebAssembly page.
pub const WASM_PAGE: u64 = 65536;

/// Most pages of a 32-bit linear memory: 4 GiB.
pub const MEMORY32_MAX_PAGES: u64 = 65536;

/// Address space a 32-bit memory may index: 4 GiB.
pub const MEMORY32_SPAN: u64 = 1 << 32;

/// Address space behind the 4 GiB that no access is mapped to.
///
/// Invariant: for every load and store, `static offset + access size <= MEMORY_GUARD`, or the
/// compiler emits an explicit check. With it, `base + u32 index + offset` either lies in memory
/// or faults inside the reservation.
pub const MEMORY_GUARD: u64 = 64 << 20;

/// Largest frame, in bytes, of a function that does not compare its stack pointer with the
/// stack limit.
pub const UNCHECKED_FRAME: u64 = 4 << 10;

/// Functions in the longest chain of calls none of which compares its stack pointer with the stack
/// limit.
pub const UNCHECKED_CALLS: u64 = 16;

/// Bytes by which the stack pointer of WebAssembly may be below the stack limit.
///
/// Invariant: below the limit there are at least as many bytes of stack.
pub const UNCHECKED_STACK: u64 = UNCHECKED_FRAME * UNCHECKED_CALLS;

/// Most elements a table may have; a larger growth fails as `table.grow` may.
pub const TABLE_MAX_ELEMENTS: u64 = 10_000_000;

/// Most bytes of an artifact's initial memory image; segments of a sparser memory are copied.
pub const MEMORY_IMAGE_MAX: u64 = 256 << 20;
