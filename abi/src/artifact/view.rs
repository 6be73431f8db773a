//! Reading an artifact in place.

use super::check::deep::CodeMap;
use super::check::{self, FormatError};
use super::header::{Header, Producer, Section, SectionEntry};
use super::records::*;
use crate::types::{FuncType, GlobalType, Limits, TableType, ValType};
use zerocopy::{FromBytes, Immutable, KnownLayout};

/// The section table of a checked artifact. The bytes are an argument of each reading function, so
/// that one struct can own them and this table.
#[derive(Clone, Debug)]
pub struct Artifact {
    table: [SectionEntry; Section::ALL.len()],
}

/// A function type, as an artifact stores it.
#[derive(Clone, Copy, Debug)]
pub struct RawType<'a> {
    /// The stored [`FuncType::digest`], unchecked.
    pub digest: u64,
    /// Number of parameters.
    pub params: usize,
    /// Value types, one byte each, parameters first.
    pub values: &'a [u8],
}

impl Artifact {
    /// Checks that `bytes` are an artifact of the producer `expect`, with an intact and consistent
    /// header and hot sections. `bytes` must be aligned to 16.
    ///
    /// # Errors
    ///
    /// A [`FormatError`] that says why the bytes cannot be used.
    pub fn check(bytes: &[u8], expect: &Producer) -> Result<Artifact, FormatError> {
        let header = check::header(bytes, expect)?;
        let artifact = Artifact { table: header.table };
        check::sections(&artifact, bytes)?;
        Ok(artifact)
    }

    /// Checks what the records mean, which loading does not need and a verifier of the machine code
    /// does. `bytes` are those that were checked. Returns the code that records name. In an accepted
    /// artifact
    ///
    /// - every section matches its checksum;
    /// - each type has the digest of its structure, and different types have different digests;
    /// - defined functions have a type, lie in the text and do not overlap;
    /// - an export, the start function and a function reference have the code and the type of the
    ///   function with their index;
    /// - no thunk begins in a function, and none is of two kinds or of two types;
    /// - each entry thunk has one handler, which lies in the thunk, and there are no others;
    /// - the initial bytes of globals of reference types are zero;
    /// - the memory that host functions see is the one that is exported as `memory`.
    ///
    /// # Errors
    ///
    /// A [`FormatError`] that names the first record that is wrong.
    pub fn check_deep(&self, bytes: &[u8]) -> Result<CodeMap, FormatError> {
        check::deep::check(self, bytes)
    }

    /// The hash of names and sections in artifacts.
    pub fn hash(bytes: &[u8]) -> u64 {
        xxhash_rust::xxh3::xxh3_64(bytes)
    }

    /// The header of bytes that may be an artifact, unchecked, for inspection.
    pub fn peek(bytes: &[u8]) -> Option<&Header> {
        let (header, _) = Header::ref_from_prefix(bytes).ok()?;
        (header.magic == super::MAGIC).then_some(header)
    }

    /// Where a section lies.
    pub fn entry(&self, section: Section) -> SectionEntry {
        self.table[section as usize]
    }

    /// An alignment of the mapped sections with which the distances between them stay the same: at
    /// least that with which the artifact was written, and at most 64 KiB.
    ///
    /// The distance from text to read-only data is the length of the text, rounded up to the alignment
    /// of the writer. Both sections are aligned to the result, so rounding up to it gives the same.
    pub fn alignment(&self) -> usize {
        let offsets = self.entry(Section::Text).offset | self.entry(Section::Rodata).offset;
        1 << offsets.trailing_zeros().min(16)
    }

    /// The bytes of a section.
    pub fn bytes<'a>(&self, bytes: &'a [u8], section: Section) -> &'a [u8] {
        let entry = self.entry(section);
        &bytes[entry.offset as usize..(entry.offset + entry.len) as usize]
    }

    /// The records of a section; empty if its length is not a multiple of theirs, which
    /// [`Artifact::check`] rules out for hot sections.
    pub fn records<'a, T>(&self, bytes: &'a [u8], section: Section) -> &'a [T]
    where
        T: FromBytes + Immutable + KnownLayout,
    {
        <[T]>::ref_from_bytes(self.bytes(bytes, section)).unwrap_or(&[])
    }

    /// Whether a section that is not hot matches its checksum.
    pub fn is_whole(&self, bytes: &[u8], section: Section) -> bool {
        Artifact::hash(self.bytes(bytes, section)) == self.entry(section).hash
    }

    /// The [`Info`] record.
    ///
    /// # Panics
    ///
    /// If `bytes` are not those that were checked.
    pub fn info<'a>(&self, bytes: &'a [u8]) -> &'a Info {
        self.records(bytes, Section::Info).first().expect("a checked artifact has its info")
    }

    /// A name of an import or of an export.
    pub fn string<'a>(&self, bytes: &'a [u8], at: StrRef) -> &'a str {
        let strings = self.bytes(bytes, Section::Strings);
        strings
            .get(at.offset as usize..at.offset as usize + at.len as usize)
            .and_then(|s| core::str::from_utf8(s).ok())
            .unwrap_or_default()
    }

    /// All function types, as they are stored.
    pub fn types<'a>(&self, bytes: &'a [u8]) -> impl ExactSizeIterator<Item = RawType<'a>> {
        let values = self.bytes(bytes, Section::TypeValues);
        let descs = self.records::<TypeDesc>(bytes, Section::Types).iter();
        descs.map(|desc| raw_type(desc, values))
    }

    /// A function type.
    ///
    /// # Panics
    ///
    /// If `index` is not that of a type.
    pub fn func_type(&self, bytes: &[u8], index: u32) -> FuncType {
        let desc = &self.records::<TypeDesc>(bytes, Section::Types)[index as usize];
        let raw = raw_type(desc, self.bytes(bytes, Section::TypeValues));
        FuncType::from_raw(raw.params, raw.values).expect("a type of a checked artifact")
    }

    /// Looks an export up by name.
    pub fn export<'a>(&self, bytes: &'a [u8], name: &str) -> Option<&'a ExportDesc> {
        let exports: &[ExportDesc] = self.records(bytes, Section::Exports);
        let strings = self.bytes(bytes, Section::Strings);
        let hash = Artifact::hash(name.as_bytes());
        // A module can have many names with one hash, so the search also compares names.
        let at = exports.binary_search_by(|e| {
            let found = || {
                let start = e.name.offset as usize;
                strings.get(start..start + e.name.len as usize).unwrap_or_default()
            };
            e.hash.cmp(&hash).then_with(|| found().cmp(name.as_bytes()))
        });
        at.ok().map(|at| &exports[at])
    }
}

impl TableDesc {
    /// The type of the table.
    pub fn table_type(&self) -> TableType {
        let element = checked(self.element).ref_type();
        // `Artifact::check` refuses tables of other types.
        let element = element.expect("the artifact was checked");
        TableType::new(element, limits(self.min, self.max))
    }
}

impl MemoryDesc {
    /// The sizes of the memory, in pages.
    pub fn limits(&self) -> Limits {
        limits(self.min, self.max)
    }
}

impl GlobalDesc {
    /// The type of the global.
    pub fn global_type(&self) -> GlobalType {
        GlobalType::new(checked(self.ty), self.mutable != 0)
    }
}

fn raw_type<'a>(desc: &TypeDesc, values: &'a [u8]) -> RawType<'a> {
    let (first, params) = (desc.first as usize, desc.params as usize);
    let values = values.get(first..first + params + desc.results as usize).unwrap_or_default();
    RawType { digest: desc.digest, params, values }
}

fn limits(min: u64, max: u64) -> Limits {
    Limits::new(min, (max != u64::MAX).then_some(max))
}

fn checked(raw: u32) -> ValType {
    u8::try_from(raw).ok().and_then(ValType::from_raw).expect("checked value type")
}
