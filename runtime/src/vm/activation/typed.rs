//! Rust types as WebAssembly types: the parameters and results of typed functions.

use crate::error::Error;
use crate::vm::activation::call::EntryResult;
use crate::vm::arities::for_each_arity;
use crate::vm::store::{Store, StoreValue};
use precast_abi::types::ValType;

/// A Rust type that is a WebAssembly value type: `i32`, `u32`, `i64`, `u64`, `f32`, `f64`, `u128` for
/// vectors (lane 0 in the lowest bits), [`Option<Func>`](crate::Func) and
/// [`Option<ExternRef>`](crate::ExternRef) for references.
///
/// Numbers are passed in registers. A function with a vector or a reference in its type is called
/// through an array of values, which takes a few times as long.
///
/// # Safety
///
/// If `IN_REGISTER`, machine code passes values of `TYPE` in the C convention as Rust passes values
/// of this type.
pub unsafe trait WasmTy: Copy + Send + Sync + 'static {
    /// The WebAssembly type.
    const TYPE: ValType;

    /// Whether the typed path passes values of this type; otherwise they go through arrays.
    #[doc(hidden)]
    const IN_REGISTER: bool;

    /// The bits of a value that is passed in a register.
    #[doc(hidden)]
    fn to_bits(self) -> u64;

    /// The value with these bits, which came in a register; a type of 32 bits ignores the upper half.
    #[doc(hidden)]
    fn from_bits(bits: u64) -> Self;

    /// The value as a store takes it.
    #[doc(hidden)]
    #[allow(private_interfaces)]
    fn for_store(self) -> StoreValue;

    /// The value whose bits machine code of a store holds.
    #[doc(hidden)]
    #[allow(private_interfaces)]
    fn from_store(store: &Store, bits: u128) -> Self;
}

/// A type whose values are passed in arrays: vectors, and references, which belong to one store.
pub(crate) trait ArrayValue: Copy + Send + Sync + 'static {
    const TYPE: ValType;

    fn for_store(self) -> StoreValue;

    fn from_store(store: &Store, bits: u128) -> Self;
}

macro_rules! numbers {
    ($($ty:ident $wasm:ident |$v:ident| $to:expr, |$b:ident| $from:expr;)*) => {$(
        // SAFETY: the C convention passes these types as Cranelift passes `TYPE`.
        unsafe impl WasmTy for $ty {
            const TYPE: ValType = ValType::$wasm;
            const IN_REGISTER: bool = true;

            #[inline]
            fn to_bits(self) -> u64 {
                let $v = self;
                $to
            }

            #[inline]
            fn from_bits($b: u64) -> Self {
                $from
            }

            #[inline]
            #[allow(private_interfaces)]
            fn for_store(self) -> StoreValue {
                StoreValue::Bits(WasmTy::to_bits(self).into())
            }

            #[inline]
            #[allow(private_interfaces)]
            fn from_store(_: &Store, bits: u128) -> Self {
                <$ty as WasmTy>::from_bits(bits as u64)
            }
        }
    )*};
}

numbers! {
    i32 I32 |v| u64::from(v as u32), |b| b as i32;
    u32 I32 |v| u64::from(v), |b| b as u32;
    i64 I64 |v| v as u64, |b| b as i64;
    u64 I64 |v| v, |b| b;
    f32 F32 |v| u64::from(v.to_bits()), |b| f32::from_bits(b as u32);
    f64 F64 |v| v.to_bits(), |b| f64::from_bits(b);
}

/// Called if a value that is not passed in a register is passed in one, which `IN_REGISTER` excludes.
#[cold]
fn not_in_register() -> ! {
    unreachable!("vectors and references are passed in arrays")
}

impl ArrayValue for u128 {
    const TYPE: ValType = ValType::V128;

    fn for_store(self) -> StoreValue {
        StoreValue::Bits(self)
    }

    fn from_store(_: &Store, bits: u128) -> Self {
        bits
    }
}

// SAFETY: values are not passed in registers.
unsafe impl<T: ArrayValue> WasmTy for T {
    const TYPE: ValType = <T as ArrayValue>::TYPE;
    const IN_REGISTER: bool = false;

    fn to_bits(self) -> u64 {
        not_in_register()
    }

    fn from_bits(_: u64) -> Self {
        not_in_register()
    }

    #[allow(private_interfaces)]
    fn for_store(self) -> StoreValue {
        ArrayValue::for_store(self)
    }

    #[allow(private_interfaces)]
    fn from_store(store: &Store, bits: u128) -> Self {
        <T as ArrayValue>::from_store(store, bits)
    }
}

/// The parameters of a typed call: one [`WasmTy`], or a tuple of up to 16.
///
/// # Safety
///
/// If `IN_REGISTERS`, `invoke` calls a typed entry thunk of functions with parameters `TYPES`.
pub unsafe trait WasmParams: Sized {
    /// The WebAssembly types.
    const TYPES: &'static [ValType];

    /// Whether a typed entry thunk takes them.
    #[doc(hidden)]
    const IN_REGISTERS: bool;

    /// Calls a typed entry thunk.
    ///
    /// # Safety
    ///
    /// `entry` is a typed entry thunk for parameters `TYPES`, `code` is code of that type and
    /// `ctx` its context, and their store has been entered.
    #[doc(hidden)]
    #[allow(private_interfaces)]
    unsafe fn invoke(self, entry: *const u8, ctx: *mut u8, code: *const u8) -> EntryResult;

    /// Writes the parameters as bits.
    #[doc(hidden)]
    #[allow(private_interfaces)]
    fn to_array(self, store: &mut Store, values: &mut [u128]) -> Result<(), Error>;
}

/// The results of a typed call: `()`, one [`WasmTy`], or a tuple of up to 16.
///
/// # Safety
///
/// `from_array` gives a value for any bits of `TYPES`, and so does `from_bits` if `IN_REGISTERS`.
pub unsafe trait WasmResults: Sized {
    /// The WebAssembly types.
    const TYPES: &'static [ValType];

    /// Whether a typed entry thunk gives them.
    #[doc(hidden)]
    const IN_REGISTERS: bool;

    /// The result from a typed entry thunk.
    #[doc(hidden)]
    fn from_bits(bits: u64) -> Self;

    /// The results from an array of bits.
    #[doc(hidden)]
    #[allow(private_interfaces)]
    fn from_array(store: &Store, values: &[u128]) -> Self;
}

// SAFETY: as for the tuple of one.
unsafe impl<V: WasmTy> WasmParams for V {
    const TYPES: &'static [ValType] = &[V::TYPE];
    const IN_REGISTERS: bool = V::IN_REGISTER;

    #[inline]
    #[allow(private_interfaces)]
    unsafe fn invoke(self, entry: *const u8, ctx: *mut u8, code: *const u8) -> EntryResult {
        // SAFETY: by the contract.
        unsafe { (self,).invoke(entry, ctx, code) }
    }

    #[allow(private_interfaces)]
    fn to_array(self, store: &mut Store, values: &mut [u128]) -> Result<(), Error> {
        (self,).to_array(store, values)
    }
}

// SAFETY: as for the tuple of one.
unsafe impl<V: WasmTy> WasmResults for V {
    const TYPES: &'static [ValType] = &[V::TYPE];
    const IN_REGISTERS: bool = V::IN_REGISTER;

    #[inline]
    fn from_bits(bits: u64) -> Self {
        <V as WasmTy>::from_bits(bits)
    }

    #[allow(private_interfaces)]
    fn from_array(store: &Store, values: &[u128]) -> Self {
        let (value,) = <(V,)>::from_array(store, values);
        value
    }
}

macro_rules! tuples {
    ($($($ty:ident)*;)*) => {$(
        #[allow(non_snake_case, unused_variables, unused_mut)]
        // SAFETY: the thunk takes the context, the parameters, and the code.
        unsafe impl<$($ty: WasmTy),*> WasmParams for ($($ty,)*) {
            const TYPES: &'static [ValType] = &[$($ty::TYPE),*];
            const IN_REGISTERS: bool = true $(&& $ty::IN_REGISTER)*;

            #[inline]
            #[allow(private_interfaces)]
            unsafe fn invoke(
                self,
                entry: *const u8,
                ctx: *mut u8,
                code: *const u8,
            ) -> EntryResult {
                let ($($ty,)*) = self;
                // SAFETY: by the contract.
                unsafe {
                    let entry: unsafe extern "C" fn(*mut u8, $($ty,)* *const u8) -> EntryResult =
                        std::mem::transmute(entry);
                    entry(ctx, $($ty,)* code)
                }
            }

            #[allow(private_interfaces)]
            fn to_array(self, store: &mut Store, values: &mut [u128]) -> Result<(), Error> {
                let ($($ty,)*) = self;
                let mut values = values.iter_mut();
                $(
                    if let Some(value) = values.next() {
                        *value = store.bits(WasmTy::for_store($ty))?;
                    }
                )*
                Ok(())
            }
        }

        #[allow(non_snake_case, unused_variables, unused_mut, clippy::unused_unit)]
        // SAFETY: every type takes any bits.
        unsafe impl<$($ty: WasmTy),*> WasmResults for ($($ty,)*) {
            const TYPES: &'static [ValType] = &[$($ty::TYPE),*];
            const IN_REGISTERS: bool = <Self as WasmResults>::TYPES.len() <= 1 $(&& $ty::IN_REGISTER)*;

            #[inline]
            fn from_bits(bits: u64) -> Self {
                // Only a tuple of one has a typed entry; the macro needs the others to compile.
                ($(<$ty as WasmTy>::from_bits(bits),)*)
            }

            #[allow(private_interfaces)]
            fn from_array(store: &Store, values: &[u128]) -> Self {
                let mut values = values.iter();
                $(
                    let bits = values.next().map_or(0, |&bits| bits);
                    let $ty = <$ty as WasmTy>::from_store(store, bits);
                )*
                ($($ty,)*)
            }
        }
    )*};
}

for_each_arity!(tuples);
