//! The first page of an artifact.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The first bytes of every artifact.
pub const MAGIC: [u8; 8] = *b"\0precast";

/// The version of the format this crate reads and writes.
pub const VERSION: u32 = 2;

/// Bytes of the header, one page.
pub const HEADER_SIZE: usize = 4096;

/// Where a section lies.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct SectionEntry {
    /// Offset of the section's first byte in the file.
    pub offset: u64,
    /// Length of the section in bytes.
    pub len: u64,
    /// [`super::Artifact::hash`] of its bytes; zero for hot sections, which the header's
    /// checksum covers.
    pub hash: u64,
}

macro_rules! sections {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $place:ident;)*) => {
        /// The sections of an artifact, in file order.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(usize)]
        pub enum Section {
            $($(#[$doc])* $name,)*
        }

        impl Section {
            /// Every section, in file order.
            pub const ALL: &[Section] = &[$(Section::$name),*];

            /// The name of the section.
            pub const fn name(self) -> &'static str {
                match self { $(Section::$name => $text,)* }
            }

            /// The part of the file that the section belongs to.
            pub const fn place(self) -> Place {
                match self { $(Section::$name => Place::$place,)* }
            }
        }
    };
}

/// The part of the file a section belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Covered by the header's checksum; 16-byte aligned.
    Hot,
    /// Covered by a checksum of its own; page-aligned.
    Mapped,
    /// Covered by a checksum of its own; 16-byte aligned.
    Cold,
}

sections! {
    /// One [`super::Info`].
    Info = "info", Hot;
    /// UTF-8 of the names of imports and exports.
    Strings = "strings", Hot;
    /// The CPU features the code uses, as names separated by commas.
    Features = "features", Hot;
    /// [`super::TypeDesc`] per type.
    Types = "types", Hot;
    /// Value types, one byte each, that [`super::TypeDesc`] refers to.
    TypeValues = "type values", Hot;
    /// [`super::ImportDesc`] per import.
    Imports = "imports", Hot;
    /// [`super::ExportDesc`] per export, sorted by hash and then name.
    Exports = "exports", Hot;
    /// [`super::TableDesc`] per table, imports first.
    Tables = "tables", Hot;
    /// [`super::MemoryDesc`] per memory, imports first.
    Memories = "memories", Hot;
    /// [`super::GlobalDesc`] per global, imports first.
    Globals = "globals", Hot;
    /// The initial bytes of the context's region of globals.
    GlobalInit = "global init", Hot;
    /// [`super::FuncRefDesc`] per function that has a reference record.
    FuncRefs = "func refs", Hot;
    /// [`super::ConstOp`]s that constant expressions refer to.
    ConstOps = "const ops", Hot;
    /// [`super::ElemDesc`] per element segment.
    Elems = "elems", Hot;
    /// [`super::ElemItem`]s that element segments refer to.
    ElemItems = "elem items", Hot;
    /// [`super::DataDesc`] per data segment.
    DataSegments = "data segments", Hot;
    /// [`super::HandlerDesc`] per call in an entry thunk, sorted by return address.
    Handlers = "handlers", Hot;
    /// Text offset of the host thunk, `u32`, per imported function.
    HostThunks = "host thunks", Hot;
    /// Machine code.
    Text = "text", Mapped;
    /// Constants of the machine code; its distance from the text is fixed.
    Rodata = "rodata", Mapped;
    /// The initial bytes of memory 0 from [`super::Info::image_start`] on.
    Image = "image", Mapped;
    /// Bytes of data segments that are not part of the image.
    Data = "data", Mapped;
    /// [`super::FuncDesc`] per defined function, sorted by text offset.
    Funcs = "funcs", Cold;
    /// Text offsets, `u32`, of the instructions that may trap, sorted.
    TrapOffsets = "trap offsets", Cold;
    /// Trap code per trap offset.
    TrapCodes = "trap codes", Cold;
    /// Offset in the WebAssembly file, `u32`, per trap offset.
    TrapLocs = "trap locations", Cold;
    /// [`super::CallLoc`] per call, sorted by return address.
    CallLocs = "call locations", Cold;
    /// [`super::StrRef`] into `name bytes` per function, imports first, then one for the module.
    Names = "names", Cold;
    /// UTF-8 of function names.
    NameBytes = "name bytes", Cold;
}

/// The compiler that made an artifact, and the machine that it was made for. All fields must match
/// for the artifact to be loadable.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Producer {
    /// The compiler's name and version, padded with zeros.
    pub compiler: [u8; 64],
    /// The target triple, padded with zeros.
    pub target: [u8; 64],
    /// Hash of the layouts and limits that code depends on (tunables).
    pub tunables: u64,
}

/// The header's fields; zeros fill the rest of the page.
///
/// ```text
///    0  magic             8
///    8  version           4
///   12  sections          4   number of entries
///   16  checksum          8   over header (this field zero) and hot sections
///   24  hot_end           8   file offset where the hot sections end
///   32  file_len          8
///   40  producer        136
///  176  wasm_hash        16   of the module's bytes
///  192  table         24 * n
/// ```
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Header {
    /// [`MAGIC`].
    pub magic: [u8; 8],
    /// [`VERSION`].
    pub version: u32,
    /// Number of sections.
    pub sections: u32,
    /// Hash of the header, with zero in this field, and of the hot sections.
    pub checksum: u64,
    /// Where the hot sections end.
    pub hot_end: u64,
    /// Bytes of the whole file.
    pub file_len: u64,
    /// The compiler that made it, and its target.
    pub producer: Producer,
    /// Hash of the WebAssembly module.
    pub wasm_hash: [u8; 16],
    /// The section table, in the order of [`Section::ALL`].
    pub table: [SectionEntry; Section::ALL.len()],
}

const _: () = {
    assert!(size_of::<Header>() <= HEADER_SIZE);
    assert!(core::mem::offset_of!(Header, checksum) == 16);
    assert!(core::mem::offset_of!(Header, producer) == 40);
    assert!(core::mem::offset_of!(Header, wasm_hash) == 176);
    assert!(core::mem::offset_of!(Header, table) == 192);
};
