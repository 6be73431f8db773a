//! The records of an artifact's sections, which are arrays of them.

use crate::vmctx::Regions;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// "None" in an index or offset field.
pub const NONE: u32 = u32::MAX;

macro_rules! records {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $ty:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
        #[repr(C)]
        pub struct $name {
            $($(#[$fdoc])* pub $field: $ty,)*
        }
    )*};
}

records! {
    /// A range of bytes in a section of strings.
    StrRef {
        /// Offset of the first byte.
        offset: u32,
        /// Bytes.
        len: u32,
    }

    /// A range of [`ConstOp`]s that compute one value.
    ConstExpr {
        /// The first operation.
        first: u32,
        /// Operations.
        count: u32,
    }

    /// Facts of a module as a whole.
    Info {
        /// Imported functions.
        func_imports: u32,
        /// Imported tables.
        table_imports: u32,
        /// Imported memories.
        memory_imports: u32,
        /// Imported globals.
        global_imports: u32,
        /// Functions, imported and defined.
        funcs: u32,
        /// [`Regions::globals`].
        globals_at: i32,
        /// [`Regions::tables`].
        tables_at: i32,
        /// [`Regions::func_imports`].
        func_imports_at: i32,
        /// [`Regions::global_imports`].
        global_imports_at: i32,
        /// [`Regions::table_imports`].
        table_imports_at: i32,
        /// [`Regions::memory_imports`].
        memory_imports_at: i32,
        /// [`Regions::memories`].
        memories_at: i32,
        /// [`Regions::func_refs`].
        func_refs_at: i32,
        /// [`Regions::size`].
        vmctx_size: u32,
        /// The memory exported as `memory`, or [`NONE`].
        exported_memory: u32,
        /// The start function's index, or [`NONE`].
        start_func: u32,
        /// Text offset of the start function; [`NONE`] if it is imported or absent.
        start_code: u32,
        /// Type of the start function, or [`NONE`].
        start_type: u32,
        /// One if code counts the operators that it executes, else zero.
        counts_fuel: u32,
        /// One if the initial state is that of an instance that has run, else zero.
        is_snapshot: u32,
        /// One if code relies on no guard behind memories, else zero.
        explicit_bounds: u32,
        /// Zero.
        reserved: u32,
        /// Offset in memory 0 of the image's first byte, a multiple of 64 KiB.
        image_start: u64,
    }

    /// A function type.
    TypeDesc {
        /// [`crate::types::FuncType::digest`].
        digest: u64,
        /// The first value type in `type values`.
        first: u32,
        /// Parameters.
        params: u32,
        /// Results, which follow the parameters.
        results: u32,
        /// Text offset of the typed entry thunk, or [`NONE`].
        typed_entry: u32,
        /// Text offset of the array entry thunk, or [`NONE`].
        array_entry: u32,
        /// Zero.
        reserved: u32,
    }

    /// An import. The n-th import of a kind has index n in the index space of that kind.
    ImportDesc {
        /// The module to import from.
        module: StrRef,
        /// The name in it.
        name: StrRef,
        /// A [`Kind`].
        kind: u32,
        /// The type of a function; for other kinds the index in their index space.
        index: u32,
    }

    /// An export.
    ExportDesc {
        /// [`super::Artifact::hash`] of the name.
        hash: u64,
        /// The name.
        name: StrRef,
        /// A [`Kind`].
        kind: u32,
        /// The index in its space.
        index: u32,
        /// The type of a function; else [`NONE`].
        ty: u32,
        /// Text offset of the code of a function that the module defines; else [`NONE`].
        code: u32,
    }

    /// A table.
    TableDesc {
        /// Initial elements.
        min: u64,
        /// Maximum elements, or `u64::MAX`.
        max: u64,
        /// A [`crate::types::ValType`].
        element: u32,
        /// Position among the tables that exist at run time; [`NONE`] for an imported table and for
        /// a table that became dispatch tables.
        slot: u32,
        /// Kind of the initial value of its elements: an [`ElemKind`].
        init_kind: u32,
        /// Index of the initial value, as in an [`ElemItem`].
        init_index: u32,
    }

    /// A memory.
    MemoryDesc {
        /// Initial pages.
        min: u64,
        /// Maximum pages, or `u64::MAX`.
        max: u64,
    }

    /// A global.
    GlobalDesc {
        /// A [`crate::types::ValType`].
        ty: u32,
        /// One if it is mutable, else zero.
        mutable: u32,
        /// Offset from the context pointer: of the value, or, for an imported global, of the
        /// address of the value.
        offset: i32,
        /// Computes the initial value; empty if `global init` has the value.
        init: ConstExpr,
        /// Zero.
        reserved: u32,
    }

    /// A function that has a reference record.
    FuncRefDesc {
        /// Its index.
        func: u32,
        /// Its type.
        ty: u32,
        /// Text offset of its code; [`NONE`] if it is imported.
        code: u32,
        /// Zero.
        reserved: u32,
    }

    /// One operation of a constant expression (specification 3.3.10) on a stack.
    ConstOp {
        /// A [`ConstOpcode`].
        op: u64,
        /// The operand, or its lower half.
        lo: u64,
        /// The upper half of a vector operand.
        hi: u64,
    }

    /// An element segment.
    ElemDesc {
        /// A [`SegmentMode`].
        mode: u32,
        /// The table that an active segment initialises.
        table: u32,
        /// Where it goes.
        offset: ConstExpr,
        /// Its first item.
        first: u32,
        /// Its items.
        count: u32,
    }

    /// A reference in an element segment or a table's initial value.
    ElemItem {
        /// An [`ElemKind`].
        kind: u32,
        /// Which reference or global.
        index: u32,
    }

    /// A data segment.
    DataDesc {
        /// A [`SegmentMode`].
        mode: u32,
        /// The memory that an active segment initialises.
        memory: u32,
        /// Where it goes.
        offset: ConstExpr,
        /// Where its bytes start in `data`.
        start: u64,
        /// Its bytes.
        len: u64,
    }

    /// A call whose exceptional return is handled.
    HandlerDesc {
        /// Text offset that the call returns to.
        ret: u32,
        /// Text offset of the handler.
        handler: u32,
        /// Bytes from the frame pointer down to the stack pointer the handler expects.
        frame: u32,
        /// Zero.
        reserved: u32,
    }

    /// Where the code of a defined function lies, and its type.
    ///
    /// ```text
    ///    0  start   4   text offset of its first byte
    ///    4  len     4   bytes
    ///    8  ty      4   index in `types`
    /// ```
    FuncDesc {
        /// Text offset of its first byte.
        start: u32,
        /// Its bytes.
        len: u32,
        /// Its type. Loading does not use it: it tells a reader of the code which registers hold
        /// arguments and results.
        ty: u32,
    }

    /// Where a call was made.
    CallLoc {
        /// Text offset the call returns to.
        ret: u32,
        /// Offset of the call in the WebAssembly file.
        wasm: u32,
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $code:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u32)]
        pub enum $name {
            $($(#[$vdoc])* $variant = $code,)*
        }

        impl $name {
            /// The meaning of a code, if it has one.
            pub const fn from_raw(raw: u32) -> Option<Self> {
                match raw {
                    $($code => Some($name::$variant),)*
                    _ => None,
                }
            }
        }
    )*};
}

codes! {
    /// The kinds of imports and exports.
    Kind {
        /// A function.
        Func = 0,
        /// A table.
        Table = 1,
        /// A memory.
        Memory = 2,
        /// A global.
        Global = 3,
    }

    /// The mode of a segment.
    SegmentMode {
        /// Read by instructions.
        Passive = 0,
        /// Copied once, by instantiation.
        Active = 1,
        /// Empty at run time: declared, or part of the image or of dispatch tables.
        Dropped = 2,
    }

    /// The kinds of an [`ElemItem`].
    ElemKind {
        /// The null reference.
        Null = 0,
        /// A reference to a function, by its position in `func refs`.
        FuncRef = 1,
        /// The value of a global.
        Global = 2,
    }

    /// The operations of constant expressions.
    ConstOpcode {
        /// Pushes the operand.
        Const = 0,
        /// Pushes the value of a global.
        GlobalGet = 1,
        /// Pushes a reference to a function, by its position in `func refs`.
        RefFunc = 2,
        /// `i32.add`.
        I32Add = 3,
        /// `i32.sub`.
        I32Sub = 4,
        /// `i32.mul`.
        I32Mul = 5,
        /// `i64.add`.
        I64Add = 6,
        /// `i64.sub`.
        I64Sub = 7,
        /// `i64.mul`.
        I64Mul = 8,
    }
}

impl ConstExpr {
    /// No expression.
    pub const EMPTY: ConstExpr = ConstExpr { first: 0, count: 0 };

    /// Whether there is no expression.
    pub const fn is_empty(self) -> bool {
        self.count == 0
    }
}

impl Info {
    /// The regions of the module's context.
    pub const fn regions(&self) -> Regions {
        Regions {
            globals: self.globals_at,
            tables: self.tables_at,
            func_imports: self.func_imports_at,
            global_imports: self.global_imports_at,
            table_imports: self.table_imports_at,
            memory_imports: self.memory_imports_at,
            memories: self.memories_at,
            func_refs: self.func_refs_at,
            size: self.vmctx_size,
        }
    }
}

const _: () = {
    assert!(size_of::<FuncDesc>() == 12);
    assert!(core::mem::offset_of!(FuncDesc, start) == 0);
    assert!(core::mem::offset_of!(FuncDesc, len) == 4);
    assert!(core::mem::offset_of!(FuncDesc, ty) == 8);
};
