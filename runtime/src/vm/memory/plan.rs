//! A memory plan: the bytes that a memory holds when its instance starts, and the room below it.

use super::image::Image;

/// The layout and the initial bytes of a memory.
#[derive(Clone, Copy)]
pub(in crate::vm) struct MemoryPlan<'a> {
    /// The module that the memory belongs to; 0 if none. Reservations are reused for the same
    /// module first.
    pub(in crate::vm) module: u64,
    /// Bytes of the context below the memory.
    pub(in crate::vm) context: usize,
    /// Accessible bytes of the memory.
    pub(in crate::vm) len: usize,
    /// Whether a guard follows the memory.
    pub(in crate::vm) guarded: bool,
    /// The image that is mapped into it.
    pub(in crate::vm) image: Option<Image<'a>>,
}

impl MemoryPlan<'_> {
    /// A memory of `len` zero bytes that belongs to no module, with no context below it.
    pub(in crate::vm) fn zeros(len: usize, guarded: bool) -> Self {
        MemoryPlan { module: 0, context: 0, len, guarded, image: None }
    }
}
