//! Bounds checks of a guest's ranges that hold under speculation: a processor that predicts the check
//! wrongly uses no range that is out of bounds.
//!
//! The compiler guards machine code. The ranges here are those of builtins. A copy reads the end of
//! its range early, and the end may lie 8 GiB behind the start of a memory, beyond its reservation.

use std::hint::black_box;
use std::ops::Range;

/// `start..start + len` if it lies in `0..size`. While the processor wrongly predicts that it does,
/// the range is empty and starts at zero.
pub(super) fn range(start: u64, len: u64, size: u64) -> Option<Range<usize>> {
    let end = start.checked_add(len)?;
    // All ones if the end is no greater than the size. A subtraction computes it, not the comparison
    // below, and the compiler must not learn that they agree.
    let mask = black_box(((end.wrapping_sub(size).wrapping_sub(1)) as i64 >> 63) as u64);
    // The sign of the difference is right for smaller sizes, as the guest's numbers have 32 bits.
    if end > size || size >= 1 << 62 {
        return None;
    }
    let start = (start & mask) as usize;
    Some(start..start + (len & mask) as usize)
}

#[cfg(test)]
mod tests {
    use super::range;

    #[test]
    fn ranges_are_in_bounds_or_none() {
        let sizes = [0u64, 1, 2, 65536, 1 << 32, (1 << 62) - 1];
        for size in sizes {
            for start in [0, 1, 2, size / 2, size.saturating_sub(1), size, size + 1, u64::MAX] {
                for len in [0, 1, 2, size / 2, size, size + 1, u64::MAX - 1, u64::MAX] {
                    let inside = start.checked_add(len).is_some_and(|end| end <= size);
                    let expected = inside.then(|| start as usize..(start + len) as usize);
                    assert_eq!(range(start, len, size), expected, "{start} {len} {size}");
                }
            }
        }
    }
}
