//! Values whose type is known at run time.

use crate::error::Error;
use crate::func::Func;
use crate::namespace::Namespace;
use crate::vm::activation::typed::ArrayValue;
use crate::vm::store::{Store, StoreValue};
use precast_abi::types::ValType;
use std::any::Any;
use std::fmt;
use zerocopy::IntoBytes;

/// A WebAssembly value.
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub enum Value {
    /// A 32-bit integer.
    I32(i32),
    /// A 64-bit integer.
    I64(i64),
    /// The bits of a 32-bit float: bits, so that a NaN keeps its payload.
    F32(u32),
    /// The bits of a 64-bit float.
    F64(u64),
    /// A vector, lane 0 in the lowest bits.
    V128(u128),
    /// A reference to a function, or null.
    FuncRef(Option<Func>),
    /// A reference to a host value, or null.
    ExternRef(Option<ExternRef>),
}

impl Value {
    /// The type of the value.
    pub fn ty(&self) -> ValType {
        match self {
            Value::I32(_) => ValType::I32,
            Value::I64(_) => ValType::I64,
            Value::F32(_) => ValType::F32,
            Value::F64(_) => ValType::F64,
            Value::V128(_) => ValType::V128,
            Value::FuncRef(_) => ValType::FuncRef,
            Value::ExternRef(_) => ValType::ExternRef,
        }
    }

    /// Zero, or null.
    pub fn default(ty: ValType) -> Value {
        match ty {
            ValType::I32 => Value::I32(0),
            ValType::I64 => Value::I64(0),
            ValType::F32 => Value::F32(0),
            ValType::F64 => Value::F64(0),
            ValType::V128 => Value::V128(0),
            ValType::FuncRef => Value::FuncRef(None),
            ValType::ExternRef => Value::ExternRef(None),
            _ => unreachable!("no module has values of type {ty}"),
        }
    }

    /// The value as a store takes it.
    #[inline]
    pub(crate) fn for_store(self) -> StoreValue {
        match self {
            Value::I32(v) => StoreValue::Bits((v as u32).into()),
            Value::I64(v) => StoreValue::Bits((v as u64).into()),
            Value::F32(v) => StoreValue::Bits(v.into()),
            Value::F64(v) => StoreValue::Bits(v.into()),
            Value::V128(v) => StoreValue::Bits(v),
            Value::FuncRef(None) | Value::ExternRef(None) => StoreValue::Bits(0),
            Value::FuncRef(Some(func)) => StoreValue::Func(func.store, func.entity),
            Value::ExternRef(Some(value)) => StoreValue::Extern(value.store, value.raw),
        }
    }

    /// The bits of the value, as machine code of a store holds them; none if it has another type.
    ///
    /// # Errors
    ///
    /// When the value is a reference of another store.
    #[inline(always)]
    pub(crate) fn bits_as(&self, ty: ValType, store: &mut Store) -> Result<Option<u128>, Error> {
        // Four cases or more become a jump table, which costs more than the rest of the call when
        // the processor predicts the jump wrongly.
        Ok(Some(match (self, ty) {
            (&Value::I32(v), ValType::I32) => (v as u32).into(),
            (&Value::I64(v), ValType::I64) => (v as u64).into(),
            (&Value::F64(v), ValType::F64) => v.into(),
            _ => return self.other_to_bits(ty, store),
        }))
    }

    /// As [`Value::bits_as`], of all types.
    #[inline(never)]
    fn other_to_bits(&self, ty: ValType, store: &mut Store) -> Result<Option<u128>, Error> {
        if let (&Value::F32(v), ValType::F32) = (self, ty) {
            return Ok(Some(v.into()));
        }
        if self.ty() == ty { store.bits(self.for_store()).map(Some) } else { Ok(None) }
    }

    /// Makes this the value of type `ty` whose bits machine code of a store has just written.
    #[inline(always)]
    pub(crate) fn set_from_bits(&mut self, store: &Store, ty: ValType, bits: &u128) {
        match ty {
            ValType::I32 => *self = Value::I32(low_half(bits) as i32),
            ValType::I64 => *self = Value::I64(*bits as i64),
            ValType::F64 => *self = Value::F64(*bits as u64),
            _ => self.set_other_from_bits(store, ty, bits),
        }
    }

    /// As [`Value::set_from_bits`], for all types.
    #[inline(never)]
    fn set_other_from_bits(&mut self, store: &Store, ty: ValType, bits: &u128) {
        match ty {
            ValType::F32 => *self = Value::F32(low_half(bits)),
            _ => *self = Value::from_bits(store, ty, *bits),
        }
    }

    /// The value of type `ty` whose bits machine code of a store holds.
    pub(crate) fn from_bits(store: &Store, ty: ValType, bits: u128) -> Value {
        match ty {
            ValType::I32 => Value::I32(bits as i32),
            ValType::I64 => Value::I64(bits as i64),
            ValType::F32 => Value::F32(bits as u32),
            ValType::F64 => Value::F64(bits as u64),
            ValType::V128 => Value::V128(bits),
            ValType::FuncRef => {
                let entity = store.func_of(bits as u64);
                Value::FuncRef(entity.map(|entity| Func { store: store.id(), entity }))
            }
            ValType::ExternRef => {
                let raw = bits as u64;
                Value::ExternRef((raw != 0).then_some(ExternRef { store: store.id(), raw }))
            }
            _ => unreachable!("no module has values of type {ty}"),
        }
    }

    /// A 32-bit float.
    pub fn f32(value: f32) -> Value {
        Value::F32(value.to_bits())
    }

    /// A 64-bit float.
    pub fn f64(value: f64) -> Value {
        Value::F64(value.to_bits())
    }

    /// The integer in it, if it is an `i32`.
    pub fn as_i32(&self) -> Option<i32> {
        if let Value::I32(v) = *self { Some(v) } else { None }
    }

    /// The integer in it, if it is an `i64`.
    pub fn as_i64(&self) -> Option<i64> {
        if let Value::I64(v) = *self { Some(v) } else { None }
    }

    /// The float in it, if it is an `f32`.
    pub fn as_f32(&self) -> Option<f32> {
        if let Value::F32(v) = *self { Some(f32::from_bits(v)) } else { None }
    }

    /// The float in it, if it is an `f64`.
    pub fn as_f64(&self) -> Option<f64> {
        if let Value::F64(v) = *self { Some(f64::from_bits(v)) } else { None }
    }

    /// The function referred to, if it is a function reference that is not null.
    pub fn as_func(&self) -> Option<Func> {
        if let Value::FuncRef(v) = *self { v } else { None }
    }
}

/// The lowest 32 bits, in a load of 32 bits: one of more would wait until the 32 bits that machine code
/// has just stored are in the cache.
#[inline(always)]
fn low_half(bits: &u128) -> u32 {
    let [b0, b1, b2, b3, ..] = *bits.as_bytes() else { return *bits as u32 };
    u32::from_le_bytes([b0, b1, b2, b3])
}

macro_rules! references {
    ($($ty:ty: $kind:ident;)*) => {$(
        impl ArrayValue for $ty {
            const TYPE: ValType = ValType::$kind;

            fn for_store(self) -> StoreValue {
                Value::$kind(self).for_store()
            }

            fn from_store(store: &Store, bits: u128) -> Self {
                match Value::from_bits(store, <Self as ArrayValue>::TYPE, bits) {
                    Value::$kind(value) => value,
                    _ => None,
                }
            }
        }
    )*};
}

references! {
    Option<Func>: FuncRef;
    Option<ExternRef>: ExternRef;
}

macro_rules! from {
    ($($ty:ty => |$v:ident| $value:expr;)*) => {$(
        impl From<$ty> for Value {
            fn from($v: $ty) -> Value {
                $value
            }
        }
    )*};
}

from! {
    i32 => |v| Value::I32(v);
    u32 => |v| Value::I32(v as i32);
    i64 => |v| Value::I64(v);
    u64 => |v| Value::I64(v as i64);
    f32 => |v| Value::f32(v);
    f64 => |v| Value::f64(v);
    u128 => |v| Value::V128(v);
    Option<Func> => |v| Value::FuncRef(v);
    Option<ExternRef> => |v| Value::ExternRef(v);
    Func => |v| Value::FuncRef(Some(v));
    ExternRef => |v| Value::ExternRef(Some(v));
}

/// A value has another type than the one it was to be turned into.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a value of type {found} where {wanted} was wanted")]
#[non_exhaustive]
pub struct ValueError {
    /// The type it was to have.
    pub wanted: ValType,
    /// The type it has.
    pub found: ValType,
}

macro_rules! try_from {
    ($($ty:ty, $wanted:ident: $pattern:pat => $value:expr;)*) => {$(
        impl TryFrom<Value> for $ty {
            type Error = ValueError;

            fn try_from(value: Value) -> Result<Self, ValueError> {
                match value {
                    $pattern => Ok($value),
                    _ => Err(ValueError { wanted: ValType::$wanted, found: value.ty() }),
                }
            }
        }
    )*};
}

try_from! {
    i32, I32: Value::I32(v) => v;
    u32, I32: Value::I32(v) => v as u32;
    i64, I64: Value::I64(v) => v;
    u64, I64: Value::I64(v) => v as u64;
    f32, F32: Value::F32(v) => f32::from_bits(v);
    f64, F64: Value::F64(v) => f64::from_bits(v);
    u128, V128: Value::V128(v) => v;
    Option<Func>, FuncRef: Value::FuncRef(v) => v;
    Option<ExternRef>, ExternRef: Value::ExternRef(v) => v;
}

/// As the text format has it: floats by their value, vectors by four lanes of 32 bits, references
/// by their type.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Value::I32(v) => write!(f, "{v}"),
            Value::I64(v) => write!(f, "{v}"),
            Value::F32(v) => write!(f, "{}", f32::from_bits(v)),
            Value::F64(v) => write!(f, "{}", f64::from_bits(v)),
            Value::V128(v) => {
                let lane = |n: u32| (v >> (32 * n)) as u32;
                write!(f, "i32x4")?;
                (0..4).try_for_each(|n| write!(f, " {:#010x}", lane(n)))
            }
            Value::FuncRef(None) => f.write_str("null func"),
            Value::ExternRef(None) => f.write_str("null extern"),
            Value::FuncRef(Some(_)) => f.write_str("func"),
            Value::ExternRef(Some(value)) => write!(f, "extern {}", value.raw),
        }
    }
}

/// A reference to a host value that a guest can hold and pass around but not look into. Made by
/// [`Namespace::extern_ref`]; the value lives as long as the namespace.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ExternRef {
    pub(crate) store: u64,
    /// The number machine code holds; never zero.
    pub(crate) raw: u64,
}

impl ExternRef {
    /// The value, if it has type `V` and belongs to this namespace.
    pub fn get<'a, V: Any>(&self, namespace: &'a Namespace) -> Option<&'a V> {
        namespace.extern_value(*self)?.downcast_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorKind, Runtime};

    const NUMBERS: [Value; 5] = [
        Value::I32(-1),
        Value::I64(-2),
        Value::F32(0x7fa0_1234),
        Value::F64(0x7ff4_0000_dead_beef),
        Value::V128(u128::MAX - 5),
    ];

    #[test]
    fn values_survive_as_bits() {
        let mut namespace = Runtime::new().namespace();
        let held = Value::from(namespace.extern_ref("held"));
        let nulls = [Value::FuncRef(None), Value::ExternRef(None)];
        for value in NUMBERS.into_iter().chain(nulls).chain([held]) {
            let bits = namespace.store_mut().bits(value.for_store()).unwrap();
            assert_eq!(Value::from_bits(namespace.store(), value.ty(), bits), value);
        }
    }

    #[test]
    fn bits_beyond_a_type_are_none_of_its_value() {
        let namespace = Runtime::new().namespace();
        let of = |ty| Value::from_bits(namespace.store(), ty, u128::MAX << 32 | 5);
        assert_eq!((of(ValType::I32), of(ValType::F32)), (Value::I32(5), Value::F32(5)));
        let of = |ty| Value::from_bits(namespace.store(), ty, u128::MAX << 64 | 5);
        assert_eq!((of(ValType::I64), of(ValType::F64)), (Value::I64(5), Value::F64(5)));
        // A number is extended with zeros.
        let mut namespace = Runtime::new().namespace();
        let bits = namespace.store_mut().bits(Value::I32(-1).for_store());
        assert_eq!(bits.unwrap(), 0xffff_ffff);
    }

    #[test]
    fn references_belong_to_one_namespace() {
        let runtime = Runtime::new();
        let (mut one, mut other) = (runtime.namespace(), runtime.namespace());
        let value = one.extern_ref(5i32);
        let error = other.store_mut().bits(Value::from(value).for_store()).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Foreign(_)), "{error}");
        // The other namespace has a value of the same number.
        assert_eq!(other.extern_ref(6i32).raw, value.raw);
        assert_eq!((value.get::<i32>(&one), value.get::<i32>(&other)), (Some(&5), None));
    }

    #[test]
    fn a_default_has_its_type_and_no_bits() {
        let mut namespace = Runtime::new().namespace();
        let mut all = NUMBERS.map(|value| value.ty()).to_vec();
        all.extend([ValType::FuncRef, ValType::ExternRef]);
        for ty in all {
            let value = Value::default(ty);
            assert_eq!(value.ty(), ty);
            assert_eq!(namespace.store_mut().bits(value.for_store()).unwrap(), 0);
        }
    }
}
