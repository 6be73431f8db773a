//! Newtypes for the index spaces of a module (WebAssembly specification 2.5.1, "Indices").

use core::fmt;

macro_rules! index_spaces {
    ($($(#[$doc:meta])* $name:ident = $short:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            /// The index as a position in a slice.
            #[inline]
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl From<usize> for $name {
            /// # Panics
            ///
            /// If `index` exceeds `u32::MAX`, which no validated module does.
            #[inline]
            fn from(index: usize) -> Self {
                $name(u32::try_from(index).expect("an index of a module fits u32"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($short, "{}"), self.0)
            }
        }
    )*};
}

index_spaces! {
    /// A function of a module, imports first.
    FuncIndex = "func";
    /// A type of a module.
    TypeIndex = "type";
    /// A table of a module, imports first.
    TableIndex = "table";
    /// A linear memory of a module, imports first.
    MemoryIndex = "memory";
    /// A global of a module, imports first.
    GlobalIndex = "global";
    /// An element segment of a module.
    ElemIndex = "elem";
    /// A data segment of a module.
    DataIndex = "data";
}
