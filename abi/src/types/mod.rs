//! The types of values, functions, tables, memories and globals.

mod function;
mod global;
mod limits;
mod memory;
mod reference;
mod table;
mod value;

pub(crate) use function::DIGEST_CONTEXT;
pub use function::FuncType;
pub use global::GlobalType;
pub use limits::Limits;
pub use memory::MemoryType;
pub use reference::{HeapType, RefType};
pub use table::TableType;
pub use value::ValType;

use core::fmt;

/// The type of an import or of an export.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum ExternType {
    /// A function.
    Func(FuncType),
    /// A table.
    Table(TableType),
    /// A linear memory.
    Memory(MemoryType),
    /// A global.
    Global(GlobalType),
}

impl ExternType {
    /// The keyword of its kind in the text format: `func`, `table`, `memory` or `global`.
    pub const fn kind(&self) -> &'static str {
        match self {
            ExternType::Func(_) => "func",
            ExternType::Table(_) => "table",
            ExternType::Memory(_) => "memory",
            ExternType::Global(_) => "global",
        }
    }
}

impl fmt::Display for ExternType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExternType::Func(t) => write!(f, "func {t}"),
            ExternType::Table(t) => write!(f, "table {} {}", t.limits, t.element),
            ExternType::Memory(t) => write!(f, "memory {}", t.limits),
            ExternType::Global(t) if t.mutable => write!(f, "global (mut {})", t.value),
            ExternType::Global(t) => write!(f, "global {}", t.value),
        }
    }
}
