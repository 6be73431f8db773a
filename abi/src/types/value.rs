//! The types of values.

use core::fmt;

/// The type of a value (WebAssembly specification 2.3.1 to 2.3.4). The numbers are those of the
/// binary format.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
#[non_exhaustive]
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

    /// Bytes that a value takes in a context.
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
