//! The context: the part of an instance that machine code reaches through its context parameter.
//!
//! The context pointer **is** the base of memory 0, and the fields lie below it:
//!
//! ```text
//!            lower addresses                                          higher addresses
//!   | func refs | imports | tables | globals | header |  memory 0 ........  | guard |
//!   ^ -size                                           ^ context pointer (+ MEMORY0_OFFSET)
//! ```
//!
//! So an access to memory 0 needs neither a load nor a register for its base, and the displacements
//! of header and memory are short. A WebAssembly address is an unsigned 32-bit number that is added
//! to the context pointer, so no access to memory 0 can reach below it.
//!
//! An instance that does not define memory 0 has the same fields, and no memory follows them.

/// Distance from the context pointer to the base of memory 0, in bytes. It is zero because of the
/// measurements in RATIONALE.md ("Why does the context end where memory 0 begins?"). With a
/// positive distance the fields lie above the context pointer instead.
pub const MEMORY0_OFFSET: i32 = 0;

/// Offset of a region of `size` bytes that starts `start` bytes from the near end of the fields.
pub const fn offset(start: u32, size: u32) -> i32 {
    if MEMORY0_OFFSET == 0 { -((start + size) as i32) } else { start as i32 }
}

/// Length of memory 0 in bytes, `u64`; with [`MEMORY0_BASE`] it forms a [`MemoryDef`].
pub const MEMORY0_LEN: i32 = MEMORY0 + MemoryDef::LEN;
/// Base of memory 0, the context pointer itself.
pub const MEMORY0_BASE: i32 = MEMORY0 + MemoryDef::BASE;
/// The [`MemoryDef`] of memory 0.
pub const MEMORY0: i32 = offset(0, 16);
/// Address of the [store context](crate::store_context).
pub const STORE: i32 = offset(16, 8);
/// Address of the array of builtin functions, in the order of [`crate::builtin::Builtin::ALL`].
pub const BUILTINS: i32 = offset(24, 8);
/// Address of the runtime's record of the instance.
pub const INSTANCE: i32 = offset(32, 8);
/// Address of the [`MemoryDef`] of the memory that the module exports as `memory`, or null.
pub const EXPORTED_MEMORY: i32 = offset(40, 8);
/// An operand of the last trap: the table index of an uninitialised element, plus one.
pub const TRAP_OPERAND: i32 = offset(48, 8);
/// Bytes of the header.
pub const HEADER_SIZE: u32 = 64;

macro_rules! layouts {
    ($($(#[$doc:meta])* $name:ident $size:literal { $($(#[$fdoc:meta])* $field:ident = $at:literal;)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl $name {
            /// Bytes of the record.
            pub const SIZE: u32 = $size;
            $($(#[$fdoc])* pub const $field: i32 = $at;)*
        }
    )*};
}

layouts! {
    /// A linear memory, as machine code sees it. It never moves; its length only grows.
    MemoryDef 16 {
        /// Address of its first byte.
        BASE = 0;
        /// Bytes, `u64`.
        LEN = 8;
    }

    /// A table, as machine code sees it. Growing may move it.
    TableDef 16 {
        /// Address of its first entry: a [`FuncRef`] record or an external reference of 8 bytes.
        BASE = 0;
        /// Entries, `u64`.
        LEN = 8;
    }

    /// A function reference, and also an entry of a table of functions: calls through a table read
    /// it in place. A null entry is all zeros; a null reference is the null address.
    FuncRef 32 {
        /// Address of the code, in the `tail` convention.
        CODE = 0;
        /// The context to pass.
        CTX = 8;
        /// [`crate::types::FuncType::digest`] of its type; zero for null.
        TYPE = 16;
        /// Address of the record that a reference to this function points to.
        REF = 24;
    }

    /// An imported function; one cache line. If another instance defines it, code and context are
    /// those of the function. If the host defines it, the context is this slot, and the code is the
    /// module's host thunk of the type, or the host function itself if machine code can call it
    /// directly.
    FuncSlot 64 {
        /// Address of the code, in the `tail` convention.
        CODE = 0;
        /// The context to pass.
        CTX = 8;
        /// Address of the host function that the host thunk calls, if the host defines it.
        FUNC = 16;
        /// Value by which the host function finds its data.
        ENV = 24;
        /// The importing instance's context, or null.
        IMPORTER = 32;
        /// The stack pointer at the last call without a thunk.
        EXIT_SP = 40;
        /// The frame pointer at the last call without a thunk.
        EXIT_FP = 48;
        /// Address of the host thunk, to trap in when too little stack is left.
        THUNK = 56;
    }

    /// A host function outside any context: a [`FuncSlot`], whose address is passed as the context.
    HostRecord 72 {
        /// The slot.
        SLOT = 0;
        /// Address of the [store context](crate::store_context).
        STORE = 64;
    }

    /// An imported memory.
    MemorySlot 16 {
        /// Address of the exporter's [`MemoryDef`].
        DEF = 0;
        /// Base address of the memory, which never changes.
        BASE = 8;
    }
}

/// Where the regions of one module's context lie, as offsets from the context pointer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Regions {
    /// Globals that the module defines; each has an offset of its own in the region.
    pub globals: i32,
    /// [`TableDef`] per table that the module defines.
    pub tables: i32,
    /// [`FuncSlot`] per imported function.
    pub func_imports: i32,
    /// Address per imported global.
    pub global_imports: i32,
    /// Address of a [`TableDef`] per imported table.
    pub table_imports: i32,
    /// [`MemorySlot`] per imported memory.
    pub memory_imports: i32,
    /// [`MemoryDef`] per defined memory whose index is not zero.
    pub memories: i32,
    /// [`FuncRef`] per function that can be referred to.
    pub func_refs: i32,
    /// Bytes of the whole context.
    pub size: u32,
}

/// Sizes of the parts of a module's context, in the order of [`Regions`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Bytes of its defined globals.
    pub global_bytes: u32,
    /// Tables it defines.
    pub tables: u32,
    /// Functions it imports.
    pub func_imports: u32,
    /// Globals it imports.
    pub global_imports: u32,
    /// Tables it imports.
    pub table_imports: u32,
    /// Memories it imports.
    pub memory_imports: u32,
    /// Memories it defines besides memory 0.
    pub memories: u32,
    /// Functions that can be referred to.
    pub func_refs: u32,
}

impl Regions {
    /// Maximum bytes of a context.
    pub const MAX_SIZE: u32 = 1 << 30;

    /// Lays out a context; `None` if it exceeds [`Regions::MAX_SIZE`].
    pub fn new(counts: &Counts) -> Option<Self> {
        let mut end = HEADER_SIZE;
        let mut region = |count: u32, size: u32| {
            let bytes = count.checked_mul(size)?.checked_next_multiple_of(16)?;
            let start = end;
            end = end.checked_add(bytes).filter(|&end| end <= Self::MAX_SIZE)?;
            Some(offset(start, bytes))
        };
        Some(Regions {
            globals: region(counts.global_bytes, 1)?,
            tables: region(counts.tables, TableDef::SIZE)?,
            func_imports: region(counts.func_imports, FuncSlot::SIZE)?,
            global_imports: region(counts.global_imports, 8)?,
            table_imports: region(counts.table_imports, 8)?,
            memory_imports: region(counts.memory_imports, MemorySlot::SIZE)?,
            memories: region(counts.memories, MemoryDef::SIZE)?,
            func_refs: region(counts.func_refs, FuncRef::SIZE)?,
            size: end,
        })
    }

    /// The slot of an imported function.
    pub fn func_import(&self, index: u32) -> i32 {
        self.func_imports + (index * FuncSlot::SIZE) as i32
    }

    /// The address of an imported global.
    pub fn global_import(&self, index: u32) -> i32 {
        self.global_imports + (index * 8) as i32
    }

    /// The address of an imported table's definition.
    pub fn table_import(&self, index: u32) -> i32 {
        self.table_imports + (index * 8) as i32
    }

    /// The slot of an imported memory.
    pub fn memory_import(&self, index: u32) -> i32 {
        self.memory_imports + (index * MemorySlot::SIZE) as i32
    }

    /// The definition of the `index`th table the module defines.
    pub fn table(&self, index: u32) -> i32 {
        self.tables + (index * TableDef::SIZE) as i32
    }

    /// The record of the `index`th function that can be referred to.
    pub fn func_ref(&self, index: u32) -> i32 {
        self.func_refs + (index * FuncRef::SIZE) as i32
    }

    /// The definition of a memory the module defines: `index` counts defined memories, and memory 0
    /// is in the header if the module defines it.
    pub fn memory(&self, index: u32, memory0_is_defined: bool) -> i32 {
        match (index, memory0_is_defined) {
            (0, true) => MEMORY0,
            (_, true) => self.memories + ((index - 1) * MemoryDef::SIZE) as i32,
            (_, false) => self.memories + (index * MemoryDef::SIZE) as i32,
        }
    }
}

const _: () = {
    assert!(HEADER_SIZE.is_multiple_of(16));
    assert!(HostRecord::STORE as u32 == FuncSlot::SIZE);
};
