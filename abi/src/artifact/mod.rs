//! The artifact: a compiled module as a file that is mapped and read in place.
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
//! It has no absolute addresses, and text refers to text and read-only data by distance alone, so
//! loading relocates nothing.
//!
//! Invariant: [`Artifact::check`] accepts bytes only if the checksum of header and hot sections
//! matches and every index and offset in the hot sections is in bounds. Other sections have
//! checksums of their own, which [`Artifact::is_whole`] verifies. A checksum does not authenticate;
//! nothing in this module does. See `check.rs`. [`Artifact::check_deep`] checks what records mean.

mod check;
mod header;
mod producer;
mod records;
mod view;
mod write;

pub use check::FormatError;
pub use check::deep::{CodeMap, CodePlace, CodeRole};
pub use header::{HEADER_SIZE, Header, MAGIC, Place, Producer, Section, SectionEntry, VERSION};
pub use producer::{COMPILER, host_target};
pub use records::*;
pub use view::{Artifact, RawType};
pub use write::Writer;
