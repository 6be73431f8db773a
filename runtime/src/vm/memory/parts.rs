//! The parts of a memory that hold other bytes than zeros.

use precast_abi::limits::WASM_PAGE;
use std::ops::Range;

/// Longest range of zeros inside a part. To map them costs less than one more part.
const MAX_GAP: usize = 1 << 20;

/// The unit of parts.
const UNIT: usize = WASM_PAGE as usize;

/// The parts of a memory with other bytes than zeros, in order. They begin and end at multiples of
/// 64 KiB.
pub(in crate::vm) fn with_bytes(memory: &[u8]) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    for (n, unit) in memory.chunks(UNIT).enumerate() {
        if is_zero(unit) {
            continue;
        }
        let (start, end) = (n * UNIT, n * UNIT + unit.len());
        match parts.last_mut() {
            Some(part) if start - part.end <= MAX_GAP => part.end = end,
            _ => parts.push(start..end),
        }
    }
    parts
}

/// The bytes up to the last that is not zero.
pub(in crate::vm) fn without_trailing_zeros(bytes: &[u8]) -> &[u8] {
    let used = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    &bytes[..used]
}

/// Whether all bytes of a unit are zeros. The comparison of slices is as fast as the machine reads.
fn is_zero(unit: &[u8]) -> bool {
    static ZEROS: [u8; UNIT] = [0; UNIT];
    *unit == ZEROS[..unit.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_have_all_bytes_and_short_gaps() {
        assert!(with_bytes(&[]).is_empty());
        let mut memory = vec![0; 64 * UNIT];
        assert!(with_bytes(&memory).is_empty());
        memory[3 * UNIT + 5] = 1;
        memory[4 * UNIT - 1] = 1;
        // As long a gap as a part may have, and one that is longer.
        memory[4 * UNIT + MAX_GAP] = 1;
        memory[64 * UNIT - 1] = 1;
        let first = 3 * UNIT..5 * UNIT + MAX_GAP;
        assert_eq!(with_bytes(&memory), [first, 63 * UNIT..64 * UNIT]);
        assert_eq!(without_trailing_zeros(&memory[..4 * UNIT + 9]).len(), 4 * UNIT);
        assert!(without_trailing_zeros(&memory[..UNIT]).is_empty());
    }
}
