//! `Random`: the random number generator of an instance.

use rustix::rand::{GetRandomFlags, getrandom};

use crate::errno::Errno;

/// The number of bytes fetched from the host at once. Most requests are 16 bytes for a hash seed;
/// one in 64 of them makes a system call.
const BUFFER: usize = 1024;

/// The source of an instance's random bytes.
#[allow(clippy::large_enum_variant, reason = "there is one per instance, and it is moved once")]
pub(crate) enum Random {
    /// The kernel's generator, `BUFFER` bytes at a time.
    System {
        /// Bytes before `used` have been given to the guest and are zero.
        buffer: [u8; BUFFER],
        used: usize,
    },
    /// A sequence that depends on the seed alone. Predictable: for tests.
    Seeded(SplitMix),
}

impl Random {
    pub(crate) fn system() -> Self {
        Random::System { buffer: [0; BUFFER], used: BUFFER }
    }

    pub(crate) fn seeded(seed: u64) -> Self {
        Random::Seeded(SplitMix { state: seed, bytes: [0; 8], used: 8 })
    }

    /// Fills `out`.
    pub(crate) fn fill(&mut self, out: &mut [u8]) -> Result<(), Errno> {
        match self {
            Random::System { buffer, used } => {
                if out.len() > BUFFER {
                    return fill_from_host(out);
                }
                if out.len() > BUFFER - *used {
                    fill_from_host(buffer)?;
                    *used = 0;
                }
                let taken = &mut buffer[*used..*used + out.len()];
                out.copy_from_slice(taken);
                // A later leak of this memory must not disclose keys made of these bytes.
                taken.fill(0);
                *used += out.len();
            }
            Random::Seeded(sequence) => out.fill_with(|| sequence.next_byte()),
        }
        Ok(())
    }
}

/// Fills `out` from the kernel's generator. A signal can cut a request of more than 256 bytes
/// short; it is continued.
fn fill_from_host(mut out: &mut [u8]) -> Result<(), Errno> {
    while !out.is_empty() {
        let n = getrandom(&mut *out, GetRandomFlags::empty())?;
        out = &mut out[n..];
    }
    Ok(())
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
    fn no_bytes_are_handed_out_twice() {
        let mut random = Random::system();
        let mut seen = Vec::new();
        for len in [16, 200, 100, 256, 1000, 0, 7, 2000] {
            let mut out = vec![0; len];
            random.fill(&mut out).unwrap();
            seen.extend(out);
        }
        let chunks: std::collections::HashSet<_> = seen.chunks_exact(8).collect();
        assert_eq!(chunks.len(), seen.len() / 8);
        let Random::System { buffer, used } = random else { unreachable!() };
        assert!(buffer[..used].iter().all(|&byte| byte == 0));
    }

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
