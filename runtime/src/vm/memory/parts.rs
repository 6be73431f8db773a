//! The parts of a memory that hold other bytes than zeros.

use precast_abi::limits::WASM_PAGE;
use std::ops::Range;

/// Longest range of zeros inside a part. To map them costs less than one more part.
const MAX_GAP: usize = 1 << 20;

/// The unit of parts.
const UNIT: usize = WASM_PAGE as usize;

/// Bytes of a block. Blocks that are known to hold zeros are not read, because reading pages that nobody has
/// touched takes memory.
const BLOCK: usize = 16 << 20;

/// The parts of a memory with other bytes than zeros, in order. They begin and end at multiples of
/// 64 KiB. `is_zero` says of a range whether all its bytes are known to be zeros.
pub(in crate::vm) fn with_bytes(
    memory: &[u8],
    is_zero: impl Fn(Range<usize>) -> bool,
) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    for (n, block) in memory.chunks(BLOCK).enumerate() {
        let start = n * BLOCK;
        if !is_zero(start..start + block.len()) {
            add_parts(&mut parts, start, block);
        }
    }
    parts
}

/// Adds the parts of a block, which begins at `start`.
fn add_parts(parts: &mut Vec<Range<usize>>, start: usize, block: &[u8]) {
    for (n, unit) in block.chunks(UNIT).enumerate().filter(|(_, unit)| !has_only_zeros(unit)) {
        let at = start + n * UNIT;
        match parts.last_mut() {
            Some(part) if at - part.end <= MAX_GAP => part.end = at + unit.len(),
            _ => parts.push(at..at + unit.len()),
        }
    }
}

/// The bytes up to the last that is not zero.
pub(in crate::vm) fn without_trailing_zeros(bytes: &[u8]) -> &[u8] {
    let used = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    &bytes[..used]
}

/// Whether all bytes of a unit are zeros. The comparison of slices is as fast as the machine reads.
fn has_only_zeros(unit: &[u8]) -> bool {
    static ZEROS: [u8; UNIT] = [0; UNIT];
    *unit == ZEROS[..unit.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_have_all_bytes_and_short_gaps() {
        let parts = |memory: &[u8]| with_bytes(memory, |_| false);
        assert!(parts(&[]).is_empty());
        let mut memory = vec![0; 64 * UNIT];
        assert!(parts(&memory).is_empty());
        memory[3 * UNIT + 5] = 1;
        memory[4 * UNIT - 1] = 1;
        // As long a gap as a part may have, and one that is longer.
        memory[4 * UNIT + MAX_GAP] = 1;
        memory[64 * UNIT - 1] = 1;
        let first = 3 * UNIT..5 * UNIT + MAX_GAP;
        assert_eq!(parts(&memory), [first, 63 * UNIT..64 * UNIT]);
        assert_eq!(without_trailing_zeros(&memory[..4 * UNIT + 9]).len(), 4 * UNIT);
        assert!(without_trailing_zeros(&memory[..UNIT]).is_empty());
    }

    #[test]
    fn blocks_of_zeros_are_not_read() {
        let mut memory = vec![0; 3 * BLOCK];
        for at in [BLOCK - 1, BLOCK, 2 * BLOCK - 1, 2 * BLOCK] {
            memory[at] = 1;
        }
        let around = |block: usize| block * BLOCK - UNIT..block * BLOCK + UNIT;
        assert_eq!(with_bytes(&memory, |_| false), [around(1), around(2)]);
        let skipped = with_bytes(&memory, |range| range == (BLOCK..2 * BLOCK));
        assert_eq!(skipped, [BLOCK - UNIT..BLOCK, 2 * BLOCK..2 * BLOCK + UNIT]);
    }
}
