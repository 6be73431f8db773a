//! The artifact: a compiled module as bytes that are mapped and used in place.
//!
//! All numbers are little-endian. The file is
//!
//! ```text
//! header        4096 bytes: producer, checksum, section table
//! hot sections  records read by loading and instantiating, back to back
//! text, rodata  page-aligned, mapped executable and read-only
//! image, data   page-aligned initial memory, then bytes of segments
//! cold sections what only a trap or an inspection reads
//! ```
//!
//! There is no absolute address in it, and text refers to text and read-only data by distance
//! alone, so loading relocates nothing.
//!
//! Invariant: [`Artifact::check`] accepts bytes only if the checksum over header and hot sections
//! holds and every index and offset in the hot sections lies inside what it refers to. Cold
//! sections have checksums of their own, verified by [`Artifact::is_whole`] when they are first
//! read. A checksum is no authentication, and nothing here is: see `check.rs`.

mod check;
mod header;
mod producer;
mod records;
mod view;
mod write;

pub use check::FormatError;
pub use header::{HEADER_SIZE, Header, MAGIC, Place, Producer, Section, SectionEntry, VERSION};
pub use producer::{COMPILER, host_target};
pub use records::*;
pub use view::{Artifact, RawType};
pub use write::Writer;
