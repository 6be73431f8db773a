//! Pseudo-random numbers: the same for the same seed on every machine.

/// A SplitMix64 generator.
#[derive(Clone)]
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Rng {
        Rng(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        scramble(self.0)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// A number from `low` to `high`, both included.
    pub fn range(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// One of `items`.
    pub fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u64) as usize]
    }

    pub fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n.div_ceil(8)).flat_map(|_| self.next().to_le_bytes()).take(n).collect()
    }

    /// A 64-bit number that is often near a power of two, where faults are likely.
    pub fn interesting(&mut self) -> u64 {
        match self.below(5) {
            0 => self.next(),
            1 => self.below(16),
            2 => self.below(16).wrapping_neg(),
            _ => (1u64 << self.below(64)).wrapping_add(self.below(5)).wrapping_sub(2),
        }
    }
}

/// Spreads every bit of a number over all bits.
pub fn scramble(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// One hash of two numbers.
pub fn mix(a: u64, b: u64) -> u64 {
    scramble(a.rotate_left(17) ^ scramble(b.wrapping_add(0x9e37_79b9_7f4a_7c15)))
}
