//! The generator of random numbers: ChaCha12 in each thread, seeded by the kernel.
//!
//! ```text
//!   0     32                              1024
//!   | key | erased ... | bytes to give away  |
//!                      |<------ left ------->|
//! ```
//! A refill expands the key to all 1024 bytes, the next key among them. Bytes are erased when they
//! are given away, and the key is erased by the refill that uses it. So a later leak of this memory
//! discloses nothing that a guest was given before ("fast key erasure").
//!
//! The state belongs to the thread, so no lock and no other thread's cache line is on the path. A new
//! instance needs no seed of its own, and no copy of an instance has a copy of the state: all
//! instances draw different bytes of one sequence.

use std::cell::RefCell;
use std::mem;

use chacha20::rand_core::SeedableRng;
use chacha20::rand_core::block::Generator as _;
use chacha20::variants::Legacy;
use chacha20::{ChaChaCore, R12};
use precast_runtime::WipedOnFork;
use rustix::rand::{GetRandomFlags, getrandom};
use rustix::time::{ClockId, clock_gettime};
use zerocopy::{FromZeros, IntoBytes};
use zeroize::Zeroizing;

use crate::errno::Errno;

/// ChaCha with twelve rounds (see RATIONALE.md) and a counter of 64 bits. Each step gives four blocks,
/// 256 bytes.
type ChaCha12 = ChaChaCore<R12, Legacy>;

/// The output of a step.
type Step = [u32; 64];

/// The steps of a refill. The key is 3% of four steps; it would be 12% of one.
const STEPS: usize = 4;

/// The bytes of a refill.
const SIZE: usize = STEPS * size_of::<Step>();

/// The bytes of a key.
const KEY: usize = 32;

/// The refills from one seed: about a megabyte, so that the system call for the next seed is less
/// than a thousandth of their cost.
const REFILLS: u32 = 1024;

/// The most seconds from one seed to the next. The kernel reseeds its own generator at this
/// interval, so a shorter one would get nothing new. The time is read at refills alone.
const INTERVAL: i64 = 60;

thread_local! {
    static SOURCE: RefCell<Source> = const { RefCell::new(Source::Unused) };
}

/// The source of a thread's random numbers.
enum Source {
    /// No guest has asked on this thread.
    Unused,
    /// A child that the process forks finds zeros, which is a generator without a seed.
    Generator(WipedOnFork<Generator>),
    /// The kernel, for every byte: it cannot wipe a generator in forked children.
    Kernel,
}

/// Fills `out` with random bytes.
#[inline]
pub(super) fn fill(out: &mut [u8]) -> Result<(), Errno> {
    let filled = SOURCE.try_with(|source| match &mut *source.borrow_mut() {
        Source::Generator(generator) => generator.get_mut().fill(out),
        source => start(source, out),
    });
    // A guest that runs in a destructor of a thread that ends may find that its source is gone.
    filled.unwrap_or_else(|_| fill_from_kernel(out))
}

/// [`fill`] of a thread without a generator, which gets one if it can.
#[cold]
fn start(source: &mut Source, out: &mut [u8]) -> Result<(), Errno> {
    if matches!(source, Source::Unused) {
        *source = WipedOnFork::zeroed().map_or(Source::Kernel, Source::Generator);
    }
    match source {
        Source::Generator(generator) => generator.get_mut().fill(out),
        _ => fill_from_kernel(out),
    }
}

/// Fills `out` from the kernel's generator. A signal can cut a request of more than 256 bytes short;
/// it is continued.
fn fill_from_kernel(mut out: &mut [u8]) -> Result<(), Errno> {
    while !out.is_empty() {
        let n = getrandom(&mut *out, GetRandomFlags::empty())?;
        out = &mut out[n..];
    }
    Ok(())
}

/// A generator. All zeros are one without a seed, which the first request fetches.
#[derive(FromZeros)]
struct Generator {
    /// The key of the next refill in the first [`KEY`] bytes, then output.
    steps: [Step; STEPS],
    /// The number of bytes at the end that nobody was given.
    left: usize,
    /// The number of refills until the next seed.
    refills: u32,
    /// The time of the last seed.
    seeded: i64,
}

impl Generator {
    /// Fills `out`. Random bytes of any number cost less here than from the kernel.
    #[inline]
    fn fill(&mut self, out: &mut [u8]) -> Result<(), Errno> {
        if out.len() > self.left {
            return self.fill_and_refill(out);
        }
        self.take(out);
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn fill_and_refill(&mut self, mut out: &mut [u8]) -> Result<(), Errno> {
        while out.len() > self.left {
            let (now, later) = out.split_at_mut(self.left);
            self.take(now);
            self.refill()?;
            out = later;
        }
        self.take(out);
        Ok(())
    }

    /// Fills `out` with bytes that are left, and erases them. There must be enough.
    #[inline(always)]
    fn take(&mut self, out: &mut [u8]) {
        let start = SIZE - self.left;
        self.left -= out.len();
        let taken = &mut self.steps.as_mut_bytes()[start..][..out.len()];
        // Seeds and keys: a few instructions in place of calls of `memcpy` and `memset`.
        if !(moved::<16>(taken, out) || moved::<32>(taken, out)) {
            out.copy_from_slice(taken);
            taken.fill(0);
        }
    }

    /// Replaces the key and all output, when nothing is left.
    fn refill(&mut self) -> Result<(), Errno> {
        let now = clock_gettime(ClockId::MonotonicCoarse).tv_sec;
        if self.refills == 0 || now - self.seeded >= INTERVAL {
            fill_from_kernel(&mut self.steps.as_mut_bytes()[..KEY])?;
            (self.refills, self.seeded) = (REFILLS, now);
        }
        let mut key = Zeroizing::new([0; KEY]);
        key.copy_from_slice(&self.steps.as_bytes()[..KEY]);
        // It erases its own copy of the key when it is dropped.
        let mut chacha = ChaCha12::from_seed(*key);
        for step in &mut self.steps {
            chacha.generate(step);
        }
        self.refills -= 1;
        self.left = SIZE - KEY;
        Ok(())
    }
}

/// Moves `from` to `to` and leaves zeros, if they have `N` bytes.
#[inline(always)]
fn moved<const N: usize>(from: &mut [u8], to: &mut [u8]) -> bool {
    let both = (<&mut [u8; N]>::try_from(from), <&mut [u8; N]>::try_from(to));
    let (Ok(from), Ok(to)) = both else { return false };
    *to = mem::replace(from, [0; N]);
    true
}

#[cfg(test)]
mod tests;
