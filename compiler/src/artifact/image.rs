//! The initial memory image: data segments that are laid out at compile time, and copied or mapped at
//! run time.

use crate::parse::module::{Mode, Module};
use precast_abi::index::{MemoryIndex, TableIndex};
use precast_abi::limits::{MEMORY_IMAGE_MAX, WASM_PAGE};

/// The bytes of memory 0 that are known before the module runs.
#[derive(Default)]
pub(crate) struct Image {
    /// Address of the image in memory, a multiple of [`WASM_PAGE`].
    pub(crate) start: u64,
    pub(crate) bytes: Vec<u8>,
    /// Number of data segments in the image, counted from the first.
    pub(crate) segments: usize,
}

/// A sparse image costs more to map than its segments cost to copy.
const MAX_SPARSENESS: u64 = 4;
const ALWAYS_DENSE: u64 = 1 << 20;

impl Image {
    /// Lays out the leading segments whose offset is known and that fit in memory. The image ends
    /// before the first segment that can fail, because no later segment may be visible if one
    /// fails.
    pub(crate) fn new(module: &Module<'_>, page: usize) -> Image {
        let run = leading_run(module);
        let filled = || run.iter().filter(|(_, bytes)| !bytes.is_empty());
        let low = filled().map(|(start, _)| *start).min().unwrap_or(0);
        let high = filled().map(|(start, bytes)| start + bytes.len() as u64).max().unwrap_or(0);
        let start = low - low % WASM_PAGE;
        let span = high - start;
        let sum: u64 = run.iter().map(|(_, bytes)| bytes.len() as u64).sum();
        if span > MEMORY_IMAGE_MAX || span > MAX_SPARSENESS * sum + ALWAYS_DENSE {
            return Image::default();
        }
        let mut bytes = vec![0; (span as usize).next_multiple_of(page)];
        for (at, segment) in &run {
            if !segment.is_empty() {
                bytes[(at - start) as usize..][..segment.len()].copy_from_slice(segment);
            }
        }
        let used = bytes.iter().rposition(|&b| b != 0).map_or(0, |last| last + 1);
        bytes.truncate(used.next_multiple_of(page));
        Image { start, bytes, segments: run.len() }
    }
}

fn leading_run<'m>(module: &'m Module<'_>) -> Vec<(u64, &'m [u8])> {
    if !module.owns_memory0() {
        return Vec::new();
    }
    // Element segments are copied first. If one fails, no data may be visible; code that another
    // instance calls through an imported table would see it.
    let imported = |target: &TableIndex| module.defined_table(*target).is_none();
    if module
        .elems
        .iter()
        .any(|e| matches!(&e.mode, Mode::Active { target, .. } if imported(target)))
    {
        return Vec::new();
    }
    let size = module.memories[0].limits.min * WASM_PAGE;
    let place = |data: &'m crate::parse::module::Data<'_>| match &data.mode {
        Mode::Active { target: MemoryIndex(0), offset } => {
            let start = offset.constant()? as u64;
            (start + data.bytes.len() as u64 <= size).then_some((start, data.bytes))
        }
        _ => None,
    };
    module.data.iter().map_while(place).collect()
}
