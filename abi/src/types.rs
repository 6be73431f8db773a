//! The types of values, functions, tables, memories and globals.

use blake3::Hasher;
use blake3::hazmat::{ContextKey, HasherExt, hash_derive_key_context};
use core::fmt;
use std::sync::LazyLock;

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

    /// Whether values of this type are numbers, which fit into a general or a float register.
    pub const fn is_number(self) -> bool {
        matches!(self, ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64)
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

    /// A function type from its values as bytes of the binary format, parameters first; none when
    /// a byte is no value type, or there are fewer values than parameters.
    pub fn from_raw(params: usize, values: &[u8]) -> Option<Self> {
        let values: Box<[ValType]> =
            values.iter().map(|&v| ValType::from_raw(v)).collect::<Option<_>>()?;
        (params <= values.len()).then_some(FuncType { values, params })
    }

    /// Whether this is the type that [`FuncType::from_raw`] makes of the same arguments.
    pub fn is_raw(&self, params: usize, values: &[u8]) -> bool {
        self.params == params && self.values.iter().map(|&v| v as u8).eq(values.iter().copied())
    }

    /// The identity of the type in machine code: `call_indirect` compares it.
    ///
    /// It is the first word of a BLAKE3 digest of the type in the binary format, so nobody can
    /// make a type with the identity of a given other one. Two types that were made to have one
    /// identity would break type safety, so whoever loads an artifact compares its types by
    /// structure with those the process has, and refuses the second. Zero is never an identity:
    /// it marks null table entries.
    pub fn identity(&self) -> u64 {
        let mut bytes = Vec::with_capacity(self.values.len() + 8);
        bytes.push(FUNC);
        for values in [self.params(), self.results()] {
            length(&mut bytes, values.len());
            bytes.extend(values.iter().map(|&v| v as u8));
        }
        let mut hasher = Hasher::new_from_context_key(&IDENTITY_KEY);
        let digest = hasher.update(&bytes).finalize();
        let word = digest.as_bytes().first_chunk().expect("a digest has 32 bytes");
        // A second preimage of the type whose word is zero or one costs half as much.
        u64::from_le_bytes(*word).max(1)
    }
}

/// What a function type begins with in the binary format.
const FUNC: u8 = 0x60;

/// Keeps identities apart from everything else that BLAKE3 is used for, and from identities of
/// another encoding. It is a part of what artifacts must agree in.
pub(crate) const IDENTITY_CONTEXT: &str = "precast 2026-11-24 identity of a type";

static IDENTITY_KEY: LazyLock<ContextKey> =
    LazyLock::new(|| hash_derive_key_context(IDENTITY_CONTEXT));

/// A length as the binary format has it (LEB128).
fn length(bytes: &mut Vec<u8>, mut len: usize) {
    while len >= 0x80 {
        bytes.push(len as u8 | 0x80);
        len >>= 7;
    }
    bytes.push(len as u8);
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

#[cfg(test)]
mod tests {
    use super::*;
    use ValType::*;

    #[test]
    fn identities_are_of_the_binary_format() {
        let long = FuncType::new(vec![I32; 200], [I64]);
        let mut encoded = vec![0x60, 0xc8, 0x01];
        encoded.extend([0x7f; 200]);
        encoded.extend([0x01, 0x7e]);
        for (ty, encoded) in [
            (FuncType::default(), vec![0x60, 0, 0]),
            (FuncType::new([I32, F64], [FuncRef]), vec![0x60, 2, 0x7f, 0x7c, 1, 0x70]),
            (long, encoded),
        ] {
            let digest = blake3::derive_key(IDENTITY_CONTEXT, &encoded);
            assert_eq!(ty.identity().to_le_bytes(), digest[..8], "{ty}");
        }
    }

    #[test]
    fn identities_use_all_bits() {
        // The lowest bit is not set for all of them.
        let identities = (0..100).map(|n| FuncType::new(vec![I32; n], []).identity());
        let low: u64 = identities.map(|identity| identity & 1).sum();
        assert!((20..80).contains(&low), "{low} of 100 are odd");
    }

    #[test]
    fn raw_types_are_what_they_say() {
        let ty = FuncType::new([I32, F64], [FuncRef]);
        assert_eq!(FuncType::from_raw(2, &[0x7f, 0x7c, 0x70]), Some(ty.clone()));
        assert!(ty.is_raw(2, &[0x7f, 0x7c, 0x70]));
        assert!(!ty.is_raw(1, &[0x7f, 0x7c, 0x70]));
        assert!(!ty.is_raw(2, &[0x7f, 0x7c]));
        assert_eq!(FuncType::from_raw(4, &[0x7f, 0x7c, 0x70]), None);
        assert_eq!(FuncType::from_raw(1, &[0x40]), None);
    }
}
