//! `Random`: the source of an instance's random numbers.

use super::generator;
use crate::errno::Errno;

/// The source of an instance's random bytes.
pub(crate) enum Random {
    /// The thread's generator, which the kernel seeds.
    System,
    /// A sequence that depends on the seed alone. Predictable: for tests.
    Seeded(SplitMix),
}

impl Random {
    pub(crate) fn seeded(seed: u64) -> Self {
        Random::Seeded(SplitMix { state: seed, bytes: [0; 8], used: 8 })
    }

    /// Fills `out`.
    #[inline]
    pub(crate) fn fill(&mut self, out: &mut [u8]) -> Result<(), Errno> {
        match self {
            Random::System => generator::fill(out),
            Random::Seeded(sequence) => {
                out.fill_with(|| sequence.next_byte());
                Ok(())
            }
        }
    }
}

/// The generator SplitMix64 by Steele, Lea and Flood. It is small and gives the same sequence on
/// every machine.
pub(crate) struct SplitMix {
    state: u64,
    /// The last number. Bytes before `used` have been given to the guest, so the sizes of the
    /// requests do not change the sequence.
    bytes: [u8; 8],
    used: usize,
}

impl SplitMix {
    fn next_byte(&mut self) -> u8 {
        if self.used == self.bytes.len() {
            self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            self.bytes = (z ^ (z >> 31)).to_le_bytes();
            self.used = 0;
        }
        self.used += 1;
        self.bytes[self.used - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_sequence() {
        let mut whole = [0; 24];
        Random::seeded(0).fill(&mut whole).unwrap();
        assert_eq!(whole[..8], 0xe220_a839_7b1d_cdaf_u64.to_le_bytes());

        let mut pieces = [0; 24];
        let mut random = Random::seeded(0);
        for piece in pieces.chunks_mut(5) {
            random.fill(piece).unwrap();
        }
        assert_eq!(pieces, whole);
    }
}
