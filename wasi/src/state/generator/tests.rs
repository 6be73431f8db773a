//! The generator: its sequence, what it erases, when it takes a new seed, and what threads share.

use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use chacha20::ChaCha12Rng;
use chacha20::rand_core::Rng;

use super::*;

/// A generator with a key, which needs no seed for now.
fn with_key(key: [u8; KEY]) -> Generator {
    let mut generator = Generator::new_zeroed();
    generator.steps.as_mut_bytes()[..KEY].copy_from_slice(&key);
    generator.refills = REFILLS;
    generator.seeded = clock_gettime(ClockId::MonotonicCoarse).tv_sec;
    generator
}

fn key(generator: &Generator) -> [u8; KEY] {
    generator.steps.as_bytes()[..KEY].try_into().unwrap()
}

fn drawn(generator: &mut Generator, len: usize) -> Vec<u8> {
    let mut out = vec![0; len];
    generator.fill(&mut out).unwrap();
    out
}

/// The first bytes that ChaCha12 gives for a key.
fn expanded(key: [u8; KEY]) -> [u8; SIZE] {
    let mut bytes = [0; SIZE];
    ChaCha12Rng::from_seed(key).fill_bytes(&mut bytes);
    bytes
}

/// Fails if two of the texts have eight bytes in common. By chance it happens once in 10^12 runs.
fn assert_disjoint(texts: &[Vec<u8>]) {
    let mut seen = HashSet::new();
    for text in texts {
        let words: HashSet<&[u8]> = text.windows(8).collect();
        assert!(words.iter().all(|word| seen.insert(*word)), "bytes were given away twice");
    }
}

#[test]
fn the_sequence_is_chacha12() {
    // The test vector of a zero key, of draft-strombergson-chacha-test-vectors. Its first 32 bytes are
    // the next key.
    let mut generator = with_key([0; KEY]);
    let expected = [
        0x05, 0x64, 0xf8, 0x79, 0xd2, 0x7a, 0xe3, 0xc0, 0x2c, 0xe8, 0x28, 0x34, 0xac, 0xfa, 0x8c,
        0x79, 0x3a, 0x62, 0x9f, 0x2c, 0xa0, 0xde, 0x69, 0x19, 0x61, 0x0b, 0xe8, 0x2f, 0x41, 0x13,
        0x26, 0xbe,
    ];
    assert_eq!(drawn(&mut generator, 32), expected);
    assert_eq!(key(&generator)[..4], [0x9b, 0xf4, 0x9a, 0x6a]);
}

#[test]
fn requests_of_any_size_continue_one_sequence() {
    let mut next = [9; KEY];
    let mut expected = Vec::new();
    while expected.len() < 40_000 {
        let bytes = expanded(next);
        next.copy_from_slice(&bytes[..KEY]);
        expected.extend(&bytes[KEY..]);
    }
    let mut generator = with_key([9; KEY]);
    let mut random = fastrand::Rng::with_seed(6);
    let mut given = Vec::new();
    while given.len() < 30_000 {
        let len = random.choice([0, 1, 16, 31, 32, 992, 993, 1024, 5000]).unwrap();
        given.extend(drawn(&mut generator, len));
    }
    assert_eq!(given, expected[..given.len()]);
}

#[test]
fn bytes_and_keys_are_erased_when_they_were_used() {
    let mut generator = with_key([9; KEY]);
    let mut used = vec![vec![9; KEY]];
    for len in [16, 200, 1000, 1, 0, 600, 2000, 384] {
        let before = key(&generator);
        let given = drawn(&mut generator, len);
        if key(&generator) != before {
            used.push(before.to_vec());
        }
        used.push(given);
        let erased = &generator.steps.as_bytes()[KEY..SIZE - generator.left];
        assert!(erased.iter().all(|&byte| byte == 0));
        let memory: HashSet<&[u8]> = generator.steps.as_bytes().windows(8).collect();
        let mut secrets = used.iter().flat_map(|bytes| bytes.windows(8));
        assert!(secrets.all(|secret| !memory.contains(secret)), "after a request of {len}");
    }
    assert!(used.len() > 10, "the key was replaced more than once");
}

/// Empties the generator and refills it. Returns whether it took a new seed.
fn takes_a_seed(generator: &mut Generator) -> bool {
    let left = generator.left;
    drawn(generator, left);
    let expected = expanded(key(generator));
    generator.refill().unwrap();
    generator.steps.as_bytes() != expected
}

#[test]
fn a_seed_is_replaced_after_its_refills() {
    let mut generator = Generator::new_zeroed();
    for refill in 0..=2 * REFILLS {
        assert_eq!(takes_a_seed(&mut generator), refill % REFILLS == 0, "{refill}");
    }
}

#[test]
fn a_seed_is_replaced_after_its_time() {
    let mut generator = Generator::new_zeroed();
    assert!(takes_a_seed(&mut generator));
    assert!(!takes_a_seed(&mut generator));
    generator.seeded -= INTERVAL;
    assert!(takes_a_seed(&mut generator));
    assert!(!takes_a_seed(&mut generator));
}

/// A child that the process forks finds zeros, in the middle of a sequence too.
#[test]
fn a_generator_that_is_wiped_takes_a_seed() {
    let mut generator = Generator::new_zeroed();
    let before = drawn(&mut generator, 100);
    generator.zero();
    let after = drawn(&mut generator, 100);
    assert_disjoint(&[before, after]);
}

#[test]
fn threads_have_separate_sequences() {
    let draw = || {
        let mut bytes = vec![0; 5000];
        fill(&mut bytes).unwrap();
        bytes
    };
    let threads: Vec<_> = (0..8).map(|_| thread::spawn(draw)).collect();
    let mut texts: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    texts.extend([draw(), draw()]);
    assert_disjoint(&texts);
}

#[test]
fn the_bytes_look_random() {
    let mut bytes = vec![0; 1 << 20];
    fill(&mut bytes).unwrap();
    // 4,194,304 of the bits are ones, with a standard deviation of 1,448.
    let ones: u32 = bytes.iter().map(|byte| byte.count_ones()).sum();
    assert!(ones.abs_diff(1 << 22) < 10_000, "{ones}");
    // Pearson's statistic of the 256 values is 255, with a standard deviation of 23.
    let expected = f64::from(1 << 12);
    let statistic = |of: &dyn Fn(usize) -> u8| {
        let mut counts = [0_u32; 256];
        (0..bytes.len()).for_each(|i| counts[usize::from(of(i))] += 1);
        counts.iter().map(|&count| (f64::from(count) - expected).powi(2) / expected).sum::<f64>()
    };
    let values = statistic(&|i| bytes[i]);
    assert!((100.0..480.0).contains(&values), "{values}");
    // The differences of neighbours are as evenly spread, and so are those at the distance of a refill.
    for distance in [1, 64, SIZE - KEY] {
        let differences =
            statistic(&|i| bytes[i].wrapping_sub(bytes[(i + distance) % bytes.len()]));
        assert!((100.0..480.0).contains(&differences), "{differences} at {distance}");
    }
}

/// Draws in its destructor, and sends the bytes.
struct Late(Sender<Vec<u8>>);

impl Drop for Late {
    fn drop(&mut self) {
        let mut bytes = vec![0; 32];
        fill(&mut bytes).unwrap();
        // The receiver fails if it has got nothing.
        let _ = self.0.send(bytes);
    }
}

thread_local! {
    static LATE: RefCell<Option<Late>> = const { RefCell::new(None) };
}

#[test]
fn destructors_of_a_thread_get_random_bytes_too() {
    for generator_first in [true, false] {
        let (sender, receiver) = channel();
        let draw = || fill(&mut [0; 32]).unwrap();
        let thread = thread::spawn(move || {
            // Destructors run in the opposite order of the first uses.
            if generator_first {
                draw();
            }
            LATE.set(Some(Late(sender)));
            draw();
        });
        thread.join().unwrap();
        assert_ne!(receiver.recv().unwrap(), [0; 32]);
    }
}
