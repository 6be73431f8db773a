//! A folder in memory for the cache of one case, and inputs as decisions.

use std::fs;
use std::path::PathBuf;

/// A folder, removed when it is dropped.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    /// A new folder. One thread runs one case at a time, so one name per thread is enough.
    pub(crate) fn new(target: &str) -> Scratch {
        let memory = PathBuf::from("/dev/shm");
        let place = if memory.is_dir() { memory } else { std::env::temp_dir() };
        let thread = std::thread::current().id();
        let name = format!("precast-fuzz-{}-{target}-{thread:?}", std::process::id());
        let scratch = Scratch(place.join(name));
        let _ = fs::remove_dir_all(&scratch.0);
        scratch
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The bytes of an input, one decision after the other; zeros after its end.
pub(crate) struct Input<'a>(pub(crate) &'a [u8]);

impl Input<'_> {
    pub(crate) fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    pub(crate) fn word(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    /// Changes some bytes: each change is a position, a length and the new bytes.
    pub(crate) fn patch(&mut self, bytes: &mut [u8]) {
        let mut left = self.byte() % 16;
        while left > 0 && !self.0.is_empty() && !bytes.is_empty() {
            let at = usize::from(self.word()) % bytes.len();
            let len = usize::from(self.byte() % 17).min(bytes.len() - at);
            bytes[at..at + len].iter_mut().for_each(|byte| *byte = self.byte());
            left -= 1;
        }
    }
}
