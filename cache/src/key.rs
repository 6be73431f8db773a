//! The key of an entry: a digest of everything that decides its bytes.

use std::fmt;

/// The BLAKE3 digest of a module's bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Content([u8; 32]);

impl Content {
    /// Computes the digest of a module's bytes.
    pub fn of(bytes: &[u8]) -> Content {
        Content(blake3::hash(bytes).into())
    }
}

/// The compiler and its settings: a digest of the compiler build, and a digest of the build, the
/// target and every setting that changes code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Fingerprint {
    pub(crate) build: Build,
    pub(crate) settings: [u8; 32],
}

impl Fingerprint {
    /// The fingerprint of a compiler build and its settings. The entries of a build share a folder.
    pub fn new(build: &str, settings: &str) -> Fingerprint {
        let digest = *blake3::hash(build.as_bytes()).as_bytes();
        let [a, b, c, d, e, f, g, h, ..] = digest;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&digest).update(settings.as_bytes());
        Fingerprint { build: Build([a, b, c, d, e, f, g, h]), settings: hasher.finalize().into() }
    }
}

/// A compiler build. It is the name of the folder of its entries.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Build(pub(crate) [u8; 8]);

/// The key of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    pub(crate) build: Build,
    pub(crate) digest: [u8; 32],
}

impl Key {
    /// The key of a module, compiled with the compiler and settings of a fingerprint.
    pub fn new(fingerprint: &Fingerprint, content: Content) -> Key {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&fingerprint.settings).update(&content.0);
        Key { build: fingerprint.build, digest: hasher.finalize().into() }
    }

    /// A number from which the byte of its lock is made.
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
