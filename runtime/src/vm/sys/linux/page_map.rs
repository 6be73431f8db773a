//! The page map of the process: which pages of a range are dirty.

use super::page_size;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// A range of pages, as `PAGEMAP_SCAN` gives them (`struct page_region`).
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub(in crate::vm) struct PageRange {
    pub(in crate::vm) start: u64,
    pub(in crate::vm) end: u64,
    categories: u64,
}

/// `struct pm_scan_arg` of `linux/fs.h`.
#[repr(C)]
struct ScanArg {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    vec: u64,
    vec_len: u64,
    max_pages: u64,
    category_inverted: u64,
    category_mask: u64,
    category_anyof_mask: u64,
    return_mask: u64,
}

/// `_IOWR('f', 16, struct pm_scan_arg)`.
const PAGEMAP_SCAN: libc::Ioctl = 0xc060_6610_u32 as libc::Ioctl;

const PAGE_IS_FILE: u64 = 1 << 2;
const PAGE_IS_PRESENT: u64 = 1 << 3;
const PAGE_IS_SWAPPED: u64 = 1 << 4;
const PAGE_IS_PFNZERO: u64 = 1 << 5;

/// The page map of this process; none in a forked child, whose descriptor still describes the
/// parent.
fn pagemap() -> Option<&'static File> {
    static PAGEMAP: OnceLock<Option<File>> = OnceLock::new();
    static FORKED: AtomicBool = AtomicBool::new(false);

    extern "C" fn in_child() {
        FORKED.store(true, Ordering::Relaxed);
    }

    let pagemap = PAGEMAP.get_or_init(|| {
        // SAFETY: the function may be called in a forked child: all it does is one store.
        let registered = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
        File::open("/proc/self/pagemap").ok().filter(|_| registered == 0)
    });
    pagemap.as_ref().filter(|_| !FORKED.load(Ordering::Relaxed))
}

/// The dirty pages between two addresses: those that are neither untouched, nor the zero page, nor
/// pages of a file. None when there are more than `max`, or their ranges do not fit `ranges`, and on
/// kernels before 6.7, which have no `PAGEMAP_SCAN`.
pub(in crate::vm) fn dirty_pages(
    start: usize,
    end: usize,
    max: usize,
    ranges: &mut [PageRange],
) -> Option<&[PageRange]> {
    let pagemap = pagemap()?;
    let mut arg = ScanArg {
        size: size_of::<ScanArg>() as u64,
        flags: 0,
        start: start as u64,
        end: end as u64,
        walk_end: 0,
        vec: ranges.as_mut_ptr() as u64,
        vec_len: ranges.len() as u64,
        max_pages: max as u64 + 1,
        category_inverted: PAGE_IS_FILE | PAGE_IS_PFNZERO,
        category_mask: PAGE_IS_FILE | PAGE_IS_PFNZERO,
        category_anyof_mask: PAGE_IS_PRESENT | PAGE_IS_SWAPPED,
        return_mask: PAGE_IS_PRESENT,
    };
    // SAFETY: the argument has the layout the kernel expects, and its vector is `ranges`.
    let found = unsafe { libc::ioctl(pagemap.as_raw_fd(), PAGEMAP_SCAN, &mut arg) };
    let found = &ranges[..usize::try_from(found).ok()?];
    let pages: u64 = found.iter().map(|r| (r.end - r.start) / page_size() as u64).sum();
    (arg.walk_end == end as u64 && pages <= max as u64).then_some(found)
}

const _: () = {
    assert!(size_of::<PageRange>() == 24);
    assert!(size_of::<ScanArg>() == 96);
};
