//! Pages of the address space: mapping, dropping and unmapping them.

use crate::vm::sys::stack_pointer;
use rustix::mm::{Advice, MapFlags, MprotectFlags, MremapFlags, ProtFlags};
use std::fs::File;
use std::io;
use std::iter;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of a page of memory.
pub(in crate::vm) fn page_size() -> usize {
    rustix::param::page_size()
}

/// Bytes of address space a process has: the stack lies close to its end.
pub(in crate::vm) fn address_space() -> usize {
    let highest_bit = usize::BITS - 1 - stack_pointer().leading_zeros();
    2 << highest_bit
}

const READ_WRITE: ProtFlags = ProtFlags::READ.union(ProtFlags::WRITE);

/// Maps `len` zero bytes wherever there is room. They take no memory until they are touched.
///
/// # Errors
///
/// When there is no address space left.
pub(in crate::vm) fn map_zeros(len: usize) -> io::Result<*mut u8> {
    let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
    // SAFETY: a new mapping, which replaces none.
    let at = unsafe { rustix::mm::mmap_anonymous(ptr::null_mut(), len, READ_WRITE, flags) };
    Ok(at?.cast())
}

/// Reserves `len` bytes of address space wherever there is room. Nothing can access them.
///
/// All functions that make reserved pages accessible or inaccessible leave the same kinds of mapping
/// behind, so that the kernel merges neighbours of one kind: their number is limited.
///
/// # Errors
///
/// When there is no address space left.
pub(in crate::vm) fn reserve(len: usize) -> io::Result<*mut u8> {
    let (flags, nothing) = (MapFlags::PRIVATE, ProtFlags::empty());
    // SAFETY: a new mapping, which replaces none.
    let at = unsafe { rustix::mm::mmap_anonymous(ptr::null_mut(), len, nothing, flags) };
    Ok(at?.cast())
}

/// Bytes of address space from one reservation of [`reserve_apart`] to the next, where there is plenty:
/// those of the largest memory, and as many again.
const APART: usize = 8 << 30;

/// The least such distance.
const LEAST_APART: usize = 1 << 30;

/// Reserves `len` bytes of address space far from other mappings, so that it can grow. Nothing can access
/// them.
///
/// # Errors
///
/// When there is no address space left.
pub(in crate::vm) fn reserve_apart(len: usize) -> io::Result<*mut u8> {
    /// Places that are tried in each part of the address space.
    const TRIES: usize = 64;
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let apart = (address_space() >> 13).clamp(LEAST_APART, APART);
    let map = |at: usize| map_at(ptr::without_provenance_mut(at), len, ProtFlags::empty()).ok();
    // The middle half of the address space: the kernel fills it from the top, and programs lie at the
    // bottom.
    let (start, places) = (address_space() / 4, address_space() / 2 / apart);
    let mut middle = (0..TRIES).map(|_| NEXT.fetch_add(1, Ordering::Relaxed) % places);
    if let Some(at) = middle.find_map(|place| map(start + place * apart)) {
        return Ok(at);
    }
    // Something else has it, as ThreadSanitizer does.
    reserve_in_hole(len, apart)
}

/// Reserves `len` bytes where the kernel finds a hole of `room` bytes, or else of the largest size that
/// it finds, at the hole's start. The kernel fills holes from their ends.
fn reserve_in_hole(len: usize, room: usize) -> io::Result<*mut u8> {
    let sizes = iter::successors(Some(room), |size| Some(size / 2)).take_while(|&size| size > len);
    for size in sizes {
        let Ok(at) = reserve(size) else { continue };
        // SAFETY: the end of the new mapping, which nobody uses.
        match unsafe { unmap_end(at.wrapping_add(len), size - len) } {
            Ok(()) => return Ok(at),
            // The kernel may have merged it with the mapping behind it, and have no room for another.
            // SAFETY: the mapping is new, and nobody uses it.
            Err(_) => unsafe { unmap(at, size) },
        }
    }
    reserve(len)
}

/// Maps `len` zero bytes at `at`, if nothing is mapped there.
///
/// # Errors
///
/// When something is, or there is no memory left.
pub(in crate::vm) fn map_zeros_at(at: *mut u8, len: usize) -> io::Result<()> {
    map_at(at, len, READ_WRITE).map(drop)
}

fn map_at(at: *mut u8, len: usize, access: ProtFlags) -> io::Result<*mut u8> {
    let flags = MapFlags::PRIVATE | MapFlags::FIXED_NOREPLACE;
    // SAFETY: a new mapping, which replaces none.
    let mapped = unsafe { rustix::mm::mmap_anonymous(at.cast(), len, access, flags)? };
    if !ptr::eq(mapped, at.cast()) {
        // Kernels before 4.17 take the address as a hint.
        // SAFETY: the mapping is new, and nobody uses it.
        unsafe { unmap(mapped.cast(), len) };
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    // A pointer with the provenance of the mapping.
    Ok(mapped.cast())
}

/// Unmaps `at..at + len`, the end of a mapping.
///
/// # Errors
///
/// When the kernel refuses.
///
/// # Safety
///
/// The range is whole pages of the caller's own mapping, which nobody uses any more.
pub(in crate::vm) unsafe fn unmap_end(at: *mut u8, len: usize) -> io::Result<()> {
    // SAFETY: by the contract.
    unsafe { rustix::mm::munmap(at.cast(), len)? };
    Ok(())
}

/// Makes `at..at + len` readable and writable. Bytes that were never accessible are zero.
///
/// # Errors
///
/// When the kernel has no room for another mapping, or commits no more memory.
///
/// # Safety
///
/// The range is whole pages of the caller's own reservation.
pub(in crate::vm) unsafe fn make_accessible(at: *mut u8, len: usize) -> io::Result<()> {
    let flags = MprotectFlags::READ | MprotectFlags::WRITE;
    // SAFETY: by the contract.
    unsafe { rustix::mm::mprotect(at.cast(), len, flags)? };
    Ok(())
}

/// [`map_zeros`], and a child that the process forks finds zeros there again, whatever the parent
/// has written. The kernel sees to that, so it holds for every system call that forks.
///
/// # Errors
///
/// When there is no address space left, and on kernels before 4.14, which cannot do it.
pub(in crate::vm) fn map_wiped_on_fork(len: usize) -> io::Result<*mut u8> {
    let at = map_zeros(len)?;
    // SAFETY: the mapping is new, and its bytes stay as they are in this process.
    if let Err(error) = unsafe { rustix::mm::madvise(at.cast(), len, Advice::LinuxWipeOnFork) } {
        // SAFETY: nobody uses the mapping.
        unsafe { unmap(at, len) };
        return Err(error.into());
    }
    Ok(at)
}

/// Maps a file's bytes from `offset` on over `at..at + len`, private and writable.
///
/// # Errors
///
/// When the kernel has no room for another mapping.
///
/// # Safety
///
/// The range is whole pages of the caller's own mapping, and nobody uses it.
pub(in crate::vm) unsafe fn map_file(
    at: *mut u8,
    len: usize,
    file: &File,
    offset: u64,
) -> io::Result<()> {
    let flags = MapFlags::FIXED | MapFlags::PRIVATE;
    // SAFETY: by the contract.
    unsafe { rustix::mm::mmap(at.cast(), len, READ_WRITE, flags, file, offset)? };
    Ok(())
}

/// Takes away the access to `at..at + len`, and drops its bytes.
///
/// # Errors
///
/// When the kernel has no room for another mapping.
///
/// # Safety
///
/// As [`map_file`].
pub(in crate::vm) unsafe fn make_inaccessible(at: *mut u8, len: usize) -> io::Result<()> {
    let flags = MapFlags::FIXED | MapFlags::PRIVATE;
    // SAFETY: by the contract.
    unsafe { rustix::mm::mmap_anonymous(at.cast(), len, ProtFlags::empty(), flags)? };
    Ok(())
}

/// Drops the pages of `at..at + len`: the next access finds the mapped file's bytes, or zeros.
///
/// # Errors
///
/// When the kernel refuses.
///
/// # Safety
///
/// As [`map_file`], and the mapping is private.
pub(in crate::vm) unsafe fn drop_pages(at: *mut u8, len: usize) -> io::Result<()> {
    // SAFETY: by the contract.
    unsafe { rustix::mm::madvise(at.cast(), len, Advice::LinuxDontNeed)? };
    Ok(())
}

/// Asks the kernel for small pages in `at..at + len`, so that a touched byte costs one of those.
#[cfg(feature = "async")]
pub(in crate::vm) fn prefer_small_pages(at: *mut u8, len: usize) {
    // A kernel without large pages refuses, and has nothing to change.
    // SAFETY: the advice does not change the contents of pages.
    let _ = unsafe { rustix::mm::madvise(at.cast(), len, Advice::LinuxNoHugepage) };
}

/// Resizes a mapping, which may move; its pages are not copied.
///
/// # Errors
///
/// When there is no address space left; then nothing has changed.
///
/// # Safety
///
/// `at..at + old` is a mapping of [`map_zeros`], and no reference to its bytes exists.
pub(in crate::vm) unsafe fn remap(at: *mut u8, old: usize, new: usize) -> io::Result<*mut u8> {
    // SAFETY: by the contract.
    let moved = unsafe { rustix::mm::mremap(at.cast(), old, new, MremapFlags::MAYMOVE) };
    Ok(moved?.cast())
}

/// Unmaps `at..at + len`.
///
/// # Safety
///
/// The range is a whole mapping of [`map_zeros`], [`map_wiped_on_fork`], [`remap`] or [`reserve`],
/// which nobody uses any more.
pub(in crate::vm) unsafe fn unmap(at: *mut u8, len: usize) {
    // Unmapping a whole mapping fails for lack of memory only; then the range stays mapped.
    // SAFETY: by the contract.
    let _ = unsafe { rustix::mm::munmap(at.cast(), len) };
}

/// Bytes of whole pages from `at` on that are in memory; none if the kernel does not tell.
pub(in crate::vm) fn resident(at: *const u8, len: usize) -> Option<u64> {
    /// Pages that are asked for at once.
    const PAGES: usize = 4096;
    let (page, mut found) = (page_size(), 0);
    let mut states = [0u8; PAGES];
    for from in (0..len).step_by(PAGES * page) {
        let part = (len - from).min(PAGES * page);
        let at = at.wrapping_add(from).cast_mut().cast();
        // SAFETY: the array has a byte for each page of the part.
        if unsafe { libc::mincore(at, part, states.as_mut_ptr()) } != 0 {
            return None;
        }
        found += states[..part.div_ceil(page)].iter().filter(|&&state| state & 1 != 0).count();
    }
    Some((found * page) as u64)
}

/// Bytes of the process that are in memory.
#[cfg(test)]
pub(in crate::vm) fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * page_size()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both ways to find a place leave room for growth.
    #[test]
    fn what_is_apart_can_grow() {
        let (len, more) = (page_size(), 100 << 20);
        let ways = [reserve_apart, |len| reserve_in_hole(len, LEAST_APART)];
        for reserve in ways {
            let places: Vec<_> = (0..8).map(|_| reserve(len).unwrap()).collect();
            for &at in &places {
                let end = at.wrapping_add(len);
                map_zeros_at(end, more).unwrap();
                assert!(map_zeros_at(end, len).is_err(), "mapped twice");
                // SAFETY: the last byte of the new mapping, and then its end.
                unsafe {
                    end.add(more - 1).write(1);
                    unmap_end(end, more).unwrap();
                }
            }
            // SAFETY: whole mappings that nobody uses.
            places.into_iter().for_each(|at| unsafe { unmap(at, len) });
        }
    }

    #[test]
    fn a_forked_child_finds_zeros() {
        let len = page_size();
        // Not every kernel can do it.
        let Ok(at) = map_wiped_on_fork(len) else { return };
        // SAFETY: the mapping is `len` bytes. The child only reads it and ends.
        unsafe {
            at.write_bytes(7, len);
            let child = libc::fork();
            if child == 0 {
                let wiped = std::slice::from_raw_parts(at, len).iter().all(|&byte| byte == 0);
                libc::_exit(if wiped { 0 } else { 1 });
            }
            let mut status = 1;
            assert_eq!(libc::waitpid(child, &mut status, 0), child);
            assert_eq!(status, 0, "the child found the parent's bytes");
            assert!(std::slice::from_raw_parts(at, len).iter().all(|&byte| byte == 7));
            unmap(at, len);
        }
    }
}
