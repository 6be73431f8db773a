//! The trailer: the last bytes of every module and bundle, with its kind, length, key and checksums.

use crate::key::Key;
use crate::options::Options;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The first bytes of a trailer.
const MAGIC: [u8; 8] = *b"\0pccache";

/// The version of the file formats in the folder.
const VERSION: u32 = 1;

/// The kind of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub(crate) enum Kind {
    /// A module's artifact.
    Module = 1,
    /// A bundle: the code of a module's functions.
    Functions = 2,
}

impl Kind {
    /// The name of the folder of these files.
    pub(crate) const fn folder(self) -> &'static str {
        match self {
            Kind::Module => "modules",
            Kind::Functions => "functions",
        }
    }
}

/// A trailer.
///
/// ```text
///   0  magic     8
///   8  version   4
///  12  kind      4
///  16  len       8   bytes before the trailer
///  24  created   8   seconds since 1970, also the file's time of modification
///  32  hash     16   xxh3 of the bytes before the trailer
///  48  digest   32   of the key, or a bundle's lineage
///  80  tag      32   keyed BLAKE3 of the bytes before the trailer and bytes 0..80 of the trailer;
///                    zeros without a key
/// 112  reserved  8   zero
/// 120  check     8   xxh3 of bytes 0..120 of the trailer; with a key, the first bytes of their
///                    keyed BLAKE3
/// ```
///
/// With a key, the check proves that a holder of the key wrote the length, before the rest of the
/// file is read. Without that proof anyone could make us reserve memory for a large sparse file.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Trailer {
    magic: [u8; 8],
    version: u32,
    kind: u32,
    /// Bytes before the trailer.
    pub(crate) len: u64,
    /// The time of writing, in seconds since 1970.
    pub(crate) created: i64,
    hash: [u8; 16],
    digest: [u8; 32],
    tag: [u8; 32],
    reserved: u64,
    check: u64,
}

/// The size of a trailer in bytes.
pub(crate) const SIZE: usize = 128;

const TAG: usize = core::mem::offset_of!(Trailer, tag);
const CHECK: usize = core::mem::offset_of!(Trailer, check);
const _: () = assert!(size_of::<Trailer>() == SIZE && TAG == 80 && CHECK == 120);

impl Trailer {
    /// The trailer for some bytes.
    pub(crate) fn new(
        kind: Kind,
        digest: [u8; 32],
        bytes: &[u8],
        created: i64,
        options: &Options,
    ) -> Trailer {
        let mut trailer = Trailer {
            magic: MAGIC,
            version: VERSION,
            kind: kind as u32,
            len: bytes.len() as u64,
            created,
            hash: hash(bytes),
            digest,
            tag: [0; 32],
            reserved: 0,
            check: 0,
        };
        if let Some(key) = &options.key {
            trailer.tag = trailer.authenticate(key, bytes).into();
        }
        trailer.check = trailer.checksum(options);
        trailer
    }

    /// Reads the trailer of a file of this size and kind. None if it is not a trailer or is damaged.
    pub(crate) fn read(
        bytes: &[u8; SIZE],
        size: u64,
        kind: Kind,
        options: &Options,
    ) -> Option<Trailer> {
        let trailer = Trailer::read_from_bytes(bytes).ok()?;
        let fits = trailer.magic == MAGIC
            && trailer.version == VERSION
            && trailer.kind == kind as u32
            && trailer.len.checked_add(SIZE as u64) == Some(size)
            && trailer.check == trailer.checksum(options);
        fits.then_some(trailer)
    }

    /// Whether the file is the entry for this key.
    pub(crate) fn is_of(&self, key: &Key) -> bool {
        self.digest == key.digest
    }

    /// The digest in the file's name.
    pub(crate) fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// Whether `bytes` are those that it was written for; with a key, by a holder of the key.
    pub(crate) fn accepts(&self, bytes: &[u8], options: &Options) -> bool {
        match &options.key {
            // `blake3::Hash` compares in constant time.
            Some(key) => self.authenticate(key, bytes) == blake3::Hash::from(self.tag),
            None => self.hash == hash(bytes),
        }
    }

    /// As [`Trailer::accepts`], for the bytes at the start of a file, read in small pieces.
    pub(crate) fn accepts_file(&self, file: &File, options: &Options) -> io::Result<bool> {
        let mut keyed = options.key.as_ref().map(blake3::Hasher::new_keyed);
        let mut plain = xxhash_rust::xxh3::Xxh3::new();
        let mut buffer = vec![0; 64 << 10];
        let mut at = 0;
        while at < self.len {
            let len = (self.len - at).min(buffer.len() as u64) as usize;
            let part = &mut buffer[..len];
            file.read_exact_at(part, at)?;
            match &mut keyed {
                Some(hasher) => _ = hasher.update(part),
                None => plain.update(part),
            }
            at += len as u64;
        }
        Ok(match keyed {
            Some(hasher) => self.tag_of(hasher) == blake3::Hash::from(self.tag),
            None => self.hash == plain.digest128().to_le_bytes(),
        })
    }

    fn authenticate(&self, key: &[u8; 32], bytes: &[u8]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(key);
        hasher.update(bytes);
        self.tag_of(hasher)
    }

    fn tag_of(&self, mut hasher: blake3::Hasher) -> blake3::Hash {
        hasher.update(&self.as_bytes()[..TAG]);
        hasher.finalize()
    }

    fn checksum(&self, options: &Options) -> u64 {
        let bytes = &self.as_bytes()[..CHECK];
        let Some(key) = &options.key else { return xxhash_rust::xxh3::xxh3_64(bytes) };
        let [a, b, c, d, e, f, g, h, ..] = *blake3::keyed_hash(key, bytes).as_bytes();
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }
}

fn hash(bytes: &[u8]) -> [u8; 16] {
    xxhash_rust::xxh3::xxh3_128(bytes).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::{Kind, SIZE, Trailer};
    use crate::options::Options;
    use zerocopy::IntoBytes;

    /// A length written without the key is not believed, because memory would be reserved for it.
    #[test]
    fn a_forged_length_is_not_read() {
        let (keyed, other) = (Options::new().key([1; 32]), Options::new().key([2; 32]));
        let genuine = Trailer::new(Kind::Module, [3; 32], b"bytes", 0, &keyed);
        let read = |trailer: &Trailer, options: &Options| {
            let bytes: &[u8; SIZE] = trailer.as_bytes().try_into().unwrap();
            Trailer::read(bytes, trailer.len + SIZE as u64, Kind::Module, options)
        };
        assert!(read(&genuine, &keyed).unwrap().accepts(b"bytes", &keyed));
        for forger in [&Options::new(), &other] {
            let mut forged = genuine;
            forged.len = 1 << 40;
            forged.check = forged.checksum(forger);
            assert!(read(&forged, forger).is_some() && read(&forged, &keyed).is_none());
        }
        assert!(read(&genuine, &Options::new()).is_none());
    }
}
