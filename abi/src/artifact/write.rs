//! Writing an artifact.

use super::check;
use super::header::{HEADER_SIZE, Header, MAGIC, Place, Producer, Section, SectionEntry, VERSION};
use super::view::Artifact;
use std::borrow::Cow;
use zerocopy::{Immutable, IntoBytes};

/// Collects the sections of an artifact and lays them out.
#[derive(Default)]
pub struct Writer<'a> {
    sections: [Cow<'a, [u8]>; Section::ALL.len()],
}

impl<'a> Writer<'a> {
    /// A writer whose sections are all empty.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the bytes of a section.
    pub fn bytes(&mut self, section: Section, bytes: impl Into<Cow<'a, [u8]>>) {
        self.sections[section as usize] = bytes.into();
    }

    /// Sets a section to an array of records.
    pub fn records<T: IntoBytes + Immutable>(&mut self, section: Section, records: &[T]) {
        self.bytes(section, records.as_bytes().to_vec());
    }

    /// The distance from the start of the text to the start of the read-only data, on which code
    /// depends, for a text of `len` bytes and sections aligned to `page` bytes.
    pub fn rodata_distance(len: usize, page: usize) -> usize {
        len.next_multiple_of(page)
    }

    /// The artifact's bytes. `page` is the alignment of mapped sections: the largest page size
    /// of the target.
    pub fn finish(self, producer: &Producer, wasm_hash: [u8; 16], page: usize) -> Vec<u8> {
        let mut table = [SectionEntry::default(); Section::ALL.len()];
        let mut end = HEADER_SIZE;
        let mut hot_end = HEADER_SIZE;
        for &section in Section::ALL {
            let place = section.place();
            let align = if place == Place::Mapped { page } else { 16 };
            let bytes = &self.sections[section as usize];
            let offset = end.next_multiple_of(align);
            end = offset + bytes.len();
            if place == Place::Hot {
                hot_end = end;
            }
            let hash = if place == Place::Hot { 0 } else { Artifact::hash(bytes) };
            table[section as usize] =
                SectionEntry { offset: offset as u64, len: bytes.len() as u64, hash };
        }
        let mut file = Vec::with_capacity(end);
        file.resize(HEADER_SIZE, 0);
        for &section in Section::ALL {
            file.resize(table[section as usize].offset as usize, 0);
            file.extend_from_slice(&self.sections[section as usize]);
        }
        let mut header = Header {
            magic: MAGIC,
            version: VERSION,
            sections: Section::ALL.len() as u32,
            checksum: 0,
            hot_end: hot_end as u64,
            file_len: end as u64,
            producer: *producer,
            wasm_hash,
            table,
        };
        file[..size_of::<Header>()].copy_from_slice(header.as_bytes());
        header.checksum = check::checksum(&file[..hot_end]);
        file[..size_of::<Header>()].copy_from_slice(header.as_bytes());
        file
    }
}
