//! What an entry is found by: a digest of everything that decides its bytes.

use std::fmt;

/// What a module is: a BLAKE3 digest of its bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Content([u8; 32]);

impl Content {
    /// The digest of a module's bytes.
    pub fn of(bytes: &[u8]) -> Content {
        Content(blake3::hash(bytes).into())
    }
}

/// Who compiles and how: a digest of the build of the compiler, and one of that together with the
/// target and every setting that changes code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Fingerprint {
    pub(crate) build: Build,
    pub(crate) settings: [u8; 32],
}

impl Fingerprint {
    /// The fingerprint of a build, whose entries are kept together, and of its settings.
    pub fn new(build: &str, settings: &str) -> Fingerprint {
        let digest = *blake3::hash(build.as_bytes()).as_bytes();
        let [a, b, c, d, e, f, g, h, ..] = digest;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&digest).update(settings.as_bytes());
        Fingerprint { build: Build([a, b, c, d, e, f, g, h]), settings: hasher.finalize().into() }
    }
}

/// A build of the compiler, the name of a folder.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Build(pub(crate) [u8; 8]);

/// What an entry is found by.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    pub(crate) build: Build,
    pub(crate) digest: [u8; 32],
}

impl Key {
    /// The key of a module that is compiled in some way.
    pub fn new(fingerprint: &Fingerprint, content: Content) -> Key {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&fingerprint.settings).update(&content.0);
        Key { build: fingerprint.build, digest: hasher.finalize().into() }
    }

    /// A number for its lock.
    pub(crate) fn lock(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.digest;
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }
}

impl fmt::Display for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.digest))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{self}", self.build)
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    push_hex(&mut text, bytes);
    text
}

/// Appends bytes as hexadecimal digits.
pub(crate) fn push_hex(text: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
}
