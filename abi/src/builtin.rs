//! Functions of the runtime that machine code calls for instructions that it does not execute
//! inline.

macro_rules! builtins {
    ($($(#[$doc:meta])* $name:ident($($param:ident),*) $(-> $ret:ident)? $(, traps $trap:ident)?;)*) => {
        /// A function of the runtime. Its address is at index `self as usize` of the builtin array
        /// that [`crate::vmctx::BUILTINS`] points to. Its first parameter, which is not listed, is
        /// the context.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        pub enum Builtin {
            $($(#[$doc])* $name,)*
        }

        impl Builtin {
            /// Every builtin, in the order of the array.
            pub const ALL: &[Builtin] = &[$(Builtin::$name),*];

            /// Parameters after the context.
            pub const fn params(self) -> &'static [Word] {
                match self { $(Builtin::$name => &[$(Word::$param),*],)* }
            }

            /// The result that WebAssembly code sees. A builtin that can trap has none: it returns
            /// a `u32`, which is zero on success.
            pub const fn result(self) -> Option<Word> {
                match self { $(Builtin::$name => builtins!(@result $($ret)?),)* }
            }

            /// The trap that a nonzero return value means.
            pub const fn trap(self) -> Option<crate::trap::TrapCode> {
                match self { $(Builtin::$name => builtins!(@trap $($trap)?),)* }
            }
        }
    };
    (@result) => { None };
    (@result $ret:ident) => { Some(Word::$ret) };
    (@trap) => { None };
    (@trap $trap:ident) => { Some(crate::trap::TrapCode::$trap) };
}

/// The width of a builtin's parameter or result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Word {
    /// 32 bits.
    U32,
    /// 64 bits.
    U64,
}

builtins! {
    /// `memory.grow`: memory, pages; the old size in pages, or -1.
    MemoryGrow(U32, U64) -> U64;
    /// `memory.copy`: destination memory, source memory, destination, source, length.
    MemoryCopy(U32, U32, U64, U64, U64), traps MemoryOutOfBounds;
    /// `memory.fill`: memory, destination, byte, length.
    MemoryFill(U32, U64, U32, U64), traps MemoryOutOfBounds;
    /// `memory.init`: memory, data segment, destination, source, length.
    MemoryInit(U32, U32, U64, U32, U32), traps MemoryOutOfBounds;
    /// `data.drop`: data segment.
    DataDrop(U32);
    /// `table.grow`: table, elements, initial reference; the old size, or -1.
    TableGrow(U32, U64, U64) -> U64;
    /// `table.fill`: table, start, reference, length.
    TableFill(U32, U64, U64, U64), traps TableOutOfBounds;
    /// `table.copy`: destination table, source table, destination, source, length.
    TableCopy(U32, U32, U64, U64, U64), traps TableOutOfBounds;
    /// `table.init`: table, element segment, destination, source, length.
    TableInit(U32, U32, U64, U32, U32), traps TableOutOfBounds;
    /// `elem.drop`: element segment.
    ElemDrop(U32);
}
