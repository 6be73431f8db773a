//! Seals: a keyed hash behind an artifact or a bundle proves that a holder of the key made it.

pub use crate::error::SealError;
use crate::module::CompiledModule;
#[cfg(feature = "compiler")]
use crate::{Error, Runtime};
use precast_abi::artifact::Artifact;
use std::fmt;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The first bytes of a seal.
const MAGIC: [u8; 8] = *b"\0pcseal\0";

/// The version of the layout and of the range that the tag covers.
const VERSION: u32 = 1;

/// The seal, which follows the sealed bytes.
///
/// ```text
///   0  magic     8
///   8  version   4
///  12  reserved  4   zero
///  16  len       8   length of the artifact or bundle before the seal
///  24  reserved  8   zero
///  32  tag      32   keyed BLAKE3 of the bytes before the seal and of the fields above
/// ```
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Seal {
    magic: [u8; 8],
    version: u32,
    reserved: u32,
    len: u64,
    reserved2: u64,
    tag: [u8; 32],
}

/// The size of a seal in bytes.
pub(crate) const SIZE: usize = 64;

const TAG: usize = core::mem::offset_of!(Seal, tag);
const _: () = assert!(size_of::<Seal>() == SIZE && TAG == 32);

/// The length from which hashing on several threads is faster, even if they must be started first.
const PARALLEL: usize = 4 << 20;

/// A key that seals artifacts, so that this program, or another one with the same secret, can prove
/// their origin.
///
/// Anyone who knows the secret can make artifacts that
/// [`Runtime::load_sealed`](crate::Runtime::load_sealed) executes.
///
/// ```
/// # use precast_runtime::{Runtime, SealKey};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # #[cfg(feature = "compiler")] {
/// # let secret = [1; 32];
/// # let wasm = b"\0asm\x01\0\0\0";
/// let key = SealKey::new(secret);
/// let runtime = Runtime::new();
/// let sealed = runtime.compile(wasm)?.serialize_sealed(&key);
/// let module = runtime.load_sealed_bytes(&sealed, &key)?;
/// // The seal does not fit another secret.
/// assert!(runtime.load_sealed_bytes(&sealed, &SealKey::new([0; 32])).is_err());
/// # }
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct SealKey {
    artifacts: [u8; 32],
    #[cfg(feature = "compiler")]
    bundles: [u8; 32],
    #[cfg(feature = "cache")]
    known: [u8; 32],
}

/// The purpose of a seal. Each has its own key, so a seal for one purpose is invalid for the other.
#[derive(Clone, Copy)]
pub(crate) enum Domain {
    Artifact,
    #[cfg(feature = "compiler")]
    Bundle,
}

impl SealKey {
    /// Derives the key from a secret, which must be random: for example 32 bytes of `/dev/urandom`.
    pub fn new(secret: [u8; 32]) -> SealKey {
        let derive = |context| blake3::derive_key(context, &secret);
        SealKey {
            artifacts: derive("precast 2026-11 seal of artifacts"),
            #[cfg(feature = "compiler")]
            bundles: derive("precast 2026-11 seal of function bundles"),
            #[cfg(feature = "cache")]
            known: derive("precast 2026-11 files whose seal is known"),
        }
    }

    /// The key of an index of files with a checked seal, for
    /// [`Options::key`](precast_cache::Options::key) of the cache that holds the index.
    #[cfg(feature = "cache")]
    pub fn index_key(&self) -> [u8; 32] {
        self.known
    }

    /// The artifact before a seal that was made with this key.
    ///
    /// # Errors
    ///
    /// If there is no seal, or if it does not fit the bytes before it.
    pub fn check<'a>(&self, sealed: &'a [u8]) -> Result<&'a [u8], SealError> {
        self.check_for(Domain::Artifact, sealed)
    }

    /// The length of the artifact before a seal that was made with this key.
    pub(crate) fn artifact_len(&self, sealed: &[u8]) -> Result<usize, SealError> {
        self.check(sealed).map(<[u8]>::len)
    }

    pub(crate) fn check_for<'a>(
        &self,
        domain: Domain,
        sealed: &'a [u8],
    ) -> Result<&'a [u8], SealError> {
        let (bytes, seal) = split(sealed).ok_or(SealError::Missing)?;
        // `blake3::Hash` compares in constant time.
        if self.tag(domain, bytes, &seal) != blake3::Hash::from(seal.tag) {
            return Err(SealError::Mismatch);
        }
        Ok(bytes)
    }

    /// Appends a seal. Not public: with it, safe code could make any bytes loadable.
    pub(crate) fn seal(&self, domain: Domain, mut bytes: Vec<u8>) -> Vec<u8> {
        let len = bytes.len() as u64;
        let (reserved, reserved2) = (0, 0);
        let mut seal =
            Seal { magic: MAGIC, version: VERSION, reserved, len, reserved2, tag: [0; 32] };
        seal.tag = self.tag(domain, &bytes, &seal).into();
        bytes.extend_from_slice(seal.as_bytes());
        bytes
    }

    fn tag(&self, domain: Domain, bytes: &[u8], seal: &Seal) -> blake3::Hash {
        let key = match domain {
            Domain::Artifact => &self.artifacts,
            #[cfg(feature = "compiler")]
            Domain::Bundle => &self.bundles,
        };
        let mut hasher = blake3::Hasher::new_keyed(key);
        if bytes.len() >= PARALLEL {
            hasher.update_rayon(bytes);
        } else {
            hasher.update(bytes);
        }
        hasher.update(&seal.as_bytes()[..TAG]);
        hasher.finalize()
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The key stays out of logs.
        f.debug_struct("SealKey").finish_non_exhaustive()
    }
}

/// Splits a seal from the end of bytes. It may have any key.
fn split(sealed: &[u8]) -> Option<(&[u8], Seal)> {
    let (bytes, seal) = sealed.split_last_chunk::<SIZE>()?;
    let seal = Seal::read_from_bytes(seal).ok()?;
    let fits = seal.magic == MAGIC
        && seal.version == VERSION
        && (seal.reserved, seal.reserved2) == (0, 0)
        && seal.len == bytes.len() as u64;
    fits.then_some((bytes, seal))
}

/// The artifact in bytes that may end with a seal, which is not checked. Without a seal, the last
/// page is not read.
pub(crate) fn without_seal(bytes: &[u8]) -> &[u8] {
    let len = Artifact::peek(bytes).map(|header| header.file_len);
    let sealed = len.and_then(|len| len.checked_add(SIZE as u64)) == Some(bytes.len() as u64);
    let artifact = sealed.then(|| split(bytes)).flatten();
    artifact.map_or(bytes, |(artifact, _)| artifact)
}

/// The length of [`without_seal`], for bytes that are already trusted.
pub(crate) fn unchecked_len(bytes: &[u8]) -> Result<usize, SealError> {
    Ok(without_seal(bytes).len())
}

/// The tag of the seal at the end of a file, if there is one. It is not checked.
#[cfg(feature = "cache")]
pub(crate) fn read_tag(file: &std::fs::File) -> std::io::Result<Option<[u8; 32]>> {
    use std::os::unix::fs::FileExt;
    let Some(at) = file.metadata()?.len().checked_sub(SIZE as u64) else { return Ok(None) };
    let mut bytes = [0; SIZE];
    file.read_exact_at(&mut bytes, at)?;
    let seal = Seal::read_from_bytes(&bytes).ok().filter(|seal| seal.magic == MAGIC);
    Ok(seal.map(|seal| seal.tag))
}

impl CompiledModule {
    /// The artifact's bytes and a seal with `key`, for
    /// [`Runtime::load_sealed`](crate::Runtime::load_sealed) with the same key.
    pub fn serialize_sealed(&self, key: &SealKey) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.serialize().len() + SIZE);
        bytes.extend_from_slice(self.serialize());
        key.seal(Domain::Artifact, bytes)
    }
}

#[cfg(feature = "compiler")]
impl Runtime {
    /// As [`Runtime::precompile_for`], with a seal with `key` after the artifact.
    ///
    /// # Errors
    ///
    /// As [`Runtime::compile`].
    pub fn precompile_sealed(
        &self,
        wasm: &[u8],
        target: crate::Target,
        key: &SealKey,
    ) -> Result<Vec<u8>, Error> {
        Ok(key.seal(Domain::Artifact, self.precompile_for(wasm, target)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> SealKey {
        SealKey::new([n; 32])
    }

    #[test]
    fn a_seal_holds_for_its_key_its_bytes_and_its_purpose() {
        for len in [0, 1, 63, 64, 1000, PARALLEL, PARALLEL + 1] {
            let bytes: Vec<u8> = (0..len).map(|i| i as u8).collect();
            let sealed = key(1).seal(Domain::Artifact, bytes.clone());
            assert_eq!(sealed.len(), len + SIZE);
            assert_eq!(key(1).check(&sealed), Ok(&bytes[..]));
            assert_eq!(key(2).check(&sealed), Err(SealError::Mismatch));
            #[cfg(feature = "compiler")]
            assert_eq!(key(1).check_for(Domain::Bundle, &sealed), Err(SealError::Mismatch));
            assert_eq!(key(1).check(&bytes), Err(SealError::Missing));
        }
    }

    #[test]
    fn every_changed_byte_breaks_a_seal() {
        let sealed = key(1).seal(Domain::Artifact, vec![7; 300]);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1 << (at % 8);
            assert!(key(1).check(&changed).is_err(), "a flip at {at}");
        }
        for len in 0..sealed.len() {
            assert!(key(1).check(&sealed[..len]).is_err(), "{len} bytes");
            assert!(key(1).check(&sealed[len + 1..]).is_err(), "without {len} bytes");
        }
        // A seal upon a seal is a seal of other bytes.
        let twice = key(2).seal(Domain::Artifact, sealed);
        assert_eq!(key(1).check(&twice), Err(SealError::Mismatch));
    }

    #[test]
    fn a_key_stays_out_of_logs() {
        let secret = [0xab; 32];
        let text = format!("{:?}", SealKey::new(secret));
        assert_eq!(text, "SealKey { .. }");
    }
}
