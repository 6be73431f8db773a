//! The types of references.

use super::ValType;
use core::fmt;

/// The type of a reference: of what it refers to, and whether it may be null (WebAssembly
/// specification 2.3.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct RefType {
    heap: HeapType,
}

/// The kind of thing that a reference refers to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum HeapType {
    /// A function.
    Func,
    /// A value of the host.
    Extern,
}

impl RefType {
    /// A reference to a function, or null.
    pub const FUNCREF: RefType = RefType { heap: HeapType::Func };

    /// A reference to a value of the host, or null.
    pub const EXTERNREF: RefType = RefType { heap: HeapType::Extern };

    /// The kind of thing that it refers to.
    pub const fn heap_type(self) -> HeapType {
        self.heap
    }

    /// Whether null is a value of this type.
    pub const fn is_nullable(self) -> bool {
        true
    }

    /// The type of values that this is.
    pub const fn val_type(self) -> ValType {
        match self.heap {
            HeapType::Func => ValType::FuncRef,
            HeapType::Extern => ValType::ExternRef,
        }
    }
}

impl ValType {
    /// The type of references that this is, if it is one.
    pub const fn ref_type(self) -> Option<RefType> {
        match self {
            ValType::FuncRef => Some(RefType::FUNCREF),
            ValType::ExternRef => Some(RefType::EXTERNREF),
            _ => None,
        }
    }
}

impl From<RefType> for ValType {
    fn from(ty: RefType) -> ValType {
        ty.val_type()
    }
}

impl fmt::Display for RefType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.val_type().fmt(f)
    }
}
