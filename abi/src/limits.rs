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

/// Host stack that must be left when WebAssembly calls out to the host, in bytes.
pub const HOST_STACK_HEADROOM: u64 = 192 << 10;

/// Most elements a table may have; a larger growth fails as `table.grow` may.
pub const TABLE_MAX_ELEMENTS: u64 = 10_000_000;

/// Most bytes of an artifact's initial memory image; segments of a sparser memory are copied.
pub const MEMORY_IMAGE_MAX: u64 = 256 << 20;
