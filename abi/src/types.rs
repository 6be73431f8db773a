//! The types of values, functions, tables, memories and globals.

use core::fmt;

/// The type of a value (WebAssembly specification 2.3.1 to 2.3.4). The numbers are those of the
/// binary format.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum ValType {
    /// A 32-bit integer.
    I32 = 0x7f,
    /// A 64-bit integer.
    I64 = 0x7e,
    /// A 32-bit float.
    F32 = 0x7d,
    /// A 64-bit float.
    F64 = 0x7c,
    /// A 128-bit vector.
    V128 = 0x7b,
    /// A reference to a function, or null.
    FuncRef = 0x70,
    /// A reference to a value of the host, or null.
    ExternRef = 0x6f,
}

impl ValType {
    /// The type with this number in the binary format.
    pub const fn from_raw(raw: u8) -> Option<Self> {
        Some(match raw {
            0x7f => ValType::I32,
            0x7e => ValType::I64,
            0x7d => ValType::F32,
            0x7c => ValType::F64,
            0x7b => ValType::V128,
            0x70 => ValType::FuncRef,
            0x6f => ValType::ExternRef,
            _ => return None,
        })
    }

    /// Whether values of this type refer to something outside linear memory.
    pub const fn is_ref(self) -> bool {
        matches!(self, ValType::FuncRef | ValType::ExternRef)
    }

    /// Bytes a value takes in a vmctx.
    pub const fn size(self) -> u32 {
        match self {
            ValType::V128 => 16,
            _ => 8,
        }
    }
}

impl fmt::Display for ValType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ValType::I32 => "i32",
            ValType::I64 => "i64",
            ValType::F32 => "f32",
            ValType::F64 => "f64",
            ValType::V128 => "v128",
            ValType::FuncRef => "funcref",
            ValType::ExternRef => "externref",
        })
    }
}

/// The type of a function.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct FuncType {
    values: Box<[ValType]>,
    params: usize,
}

impl FuncType {
    /// A function type from its parameters and results.
    pub fn new(
        params: impl IntoIterator<Item = ValType>,
        results: impl IntoIterator<Item = ValType>,
    ) -> Self {
        let mut values: Vec<ValType> = params.into_iter().collect();
        let params = values.len();
        values.extend(results);
        FuncType { values: values.into(), params }
    }

    /// The types of the parameters.
    pub fn params(&self) -> &[ValType] {
        &self.values[..self.params]
    }

    /// The types of the results.
    pub fn results(&self) -> &[ValType] {
        &self.values[self.params..]
    }

    /// The identity of the type in machine code: `call_indirect` compares it.
    ///
    /// Two types with one identity would break type safety, so whoever loads an artifact checks
    /// its types structurally against all that the process knows, and refuses a collision. Zero
    /// is never an identity: it marks null table entries.
    pub fn identity(&self) -> u64 {
        let mut bytes = Vec::with_capacity(self.values.len() + 8);
        bytes.extend_from_slice(&(self.params as u64).to_le_bytes());
        bytes.extend(self.values.iter().map(|&v| v as u8));
        xxhash_rust::xxh3::xxh3_64(&bytes) | 1
    }
}

impl fmt::Display for FuncType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list(f, self.params())?;
        f.write_str(" -> ")?;
        list(f, self.results())
    }
}

fn list(f: &mut fmt::Formatter<'_>, types: &[ValType]) -> fmt::Result {
    f.write_str("(")?;
    for (i, t) in types.iter().enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{t}")?;
    }
    f.write_str(")")
}

/// The size range of a memory (in pages) or of a table (in elements).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Limits {
    /// The initial size.
    pub min: u64,
    /// The size it may grow to, when the module says one.
    pub max: Option<u64>,
}

impl Limits {
    /// Whether something of `size` now, bounded by `max`, may be imported under these limits
    /// (specification 3.2.7, "Import Subtyping").
    pub fn admits(&self, size: u64, max: Option<u64>) -> bool {
        size >= self.min && self.max.is_none_or(|want| max.is_some_and(|have| have <= want))
    }
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.min)?;
        self.max.map_or(Ok(()), |max| write!(f, "..={max}"))
    }
}

/// The type of a table.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TableType {
    /// The type of its elements, a reference type.
    pub element: ValType,
    /// Elements it holds.
    pub limits: Limits,
}

/// The type of a 32-bit linear memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct MemoryType {
    /// Pages of 64 KiB it holds.
    pub limits: Limits,
}

/// The type of a global.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct GlobalType {
    /// The type of its value.
    pub value: ValType,
    /// Whether its value can change.
    pub mutable: bool,
}

/// The type of an import or of an export.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
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
