//! Rust types as WebAssembly types: the parameters and results of typed functions.

use crate::vm::activation::call::EntryResult;
use precast_abi::types::ValType;

/// A Rust type that is a WebAssembly value type: `i32`, `u32`, `i64`, `u64`, `f32`, `f64`.
///
/// # Safety
///
/// In the C convention, machine code passes values of `TYPE` as Rust passes values of this type.
pub unsafe trait WasmTy: Copy + Send + Sync + 'static {
    /// The WebAssembly type.
    const TYPE: ValType;
    /// The value's bits.
    fn to_bits(self) -> u64;
    /// The value with these bits; a type of 32 bits ignores the upper half.
    fn from_bits(bits: u64) -> Self;
}

macro_rules! wasm_ty {
    ($($ty:ident $wasm:ident |$v:ident| $to:expr, |$b:ident| $from:expr;)*) => {$(
        // SAFETY: the C convention passes these types as Cranelift passes `TYPE`.
        unsafe impl WasmTy for $ty {
            const TYPE: ValType = ValType::$wasm;

            #[inline]
            fn to_bits(self) -> u64 {
                let $v = self;
                $to
            }

            #[inline]
            fn from_bits($b: u64) -> Self {
                $from
            }
        }

        // SAFETY: the thunk takes the context, the parameter, and the code.
        unsafe impl WasmParams for $ty {
            const TYPES: &'static [ValType] = &[ValType::$wasm];

            #[inline]
            #[allow(private_interfaces)]
            unsafe fn invoke(
                self,
                entry: *const u8,
                ctx: *mut u8,
                code: *const u8,
            ) -> EntryResult {
                // SAFETY: by the contract.
                unsafe { (self,).invoke(entry, ctx, code) }
            }

            fn to_array(self, values: &mut [u128]) {
                (self,).to_array(values);
            }
        }

        // SAFETY: one result of a type with a typed entry.
        unsafe impl WasmResults for $ty {
            const TYPES: &'static [ValType] = &[ValType::$wasm];

            #[inline]
            fn from_bits(bits: u64) -> Self {
                <$ty as WasmTy>::from_bits(bits)
            }

            fn from_array(values: &[u128]) -> Self {
                <$ty as WasmTy>::from_bits(values[0] as u64)
            }
        }
    )*};
}

wasm_ty! {
    i32 I32 |v| u64::from(v as u32), |b| b as i32;
    u32 I32 |v| u64::from(v), |b| b as u32;
    i64 I64 |v| v as u64, |b| b as i64;
    u64 I64 |v| v, |b| b;
    f32 F32 |v| u64::from(v.to_bits()), |b| f32::from_bits(b as u32);
    f64 F64 |v| v.to_bits(), |b| f64::from_bits(b);
}

/// The parameters of a typed call: one [`WasmTy`], or a tuple of up to 16.
///
/// # Safety
///
/// `invoke` calls a typed entry thunk of functions with parameters `TYPES`.
pub unsafe trait WasmParams: Sized {
    /// The WebAssembly types.
    const TYPES: &'static [ValType];

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
    fn to_array(self, values: &mut [u128]);
}

/// The results of a typed call: `()`, one [`WasmTy`], or a tuple of up to 16.
///
/// # Safety
///
/// Both functions give a value for any bits of `TYPES`.
pub unsafe trait WasmResults: Sized {
    /// The WebAssembly types.
    const TYPES: &'static [ValType];

    /// The result from a typed entry thunk.
    #[doc(hidden)]
    fn from_bits(bits: u64) -> Self;

    /// The results from an array of bits.
    #[doc(hidden)]
    fn from_array(values: &[u128]) -> Self;
}

// SAFETY: no results.
unsafe impl WasmResults for () {
    const TYPES: &'static [ValType] = &[];

    #[inline]
    fn from_bits(_: u64) {}

    fn from_array(_: &[u128]) {}
}

macro_rules! tuples {
    ($($($ty:ident)*;)*) => {$(
        #[allow(non_snake_case, unused_variables, unused_mut, unused_assignments)]
        // SAFETY: the thunk takes the context, the parameters, and the code.
        unsafe impl<$($ty: WasmTy),*> WasmParams for ($($ty,)*) {
            const TYPES: &'static [ValType] = &[$($ty::TYPE),*];

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

            fn to_array(self, values: &mut [u128]) {
                let ($($ty,)*) = self;
                let mut i = 0;
                $(
                    values[i] = $ty.to_bits().into();
                    i += 1;
                )*
            }
        }
    )*};
}

macro_rules! result_tuples {
    ($($($ty:ident)*;)*) => {$(
        #[allow(non_snake_case, unused_variables, unused_mut, unused_assignments)]
        // SAFETY: every type takes any bits.
        unsafe impl<$($ty: WasmTy),*> WasmResults for ($($ty,)*) {
            const TYPES: &'static [ValType] = &[$($ty::TYPE),*];

            #[inline]
            fn from_bits(bits: u64) -> Self {
                // Only a tuple of one has a typed entry thunk; larger ones must compile.
                ($(<$ty as WasmTy>::from_bits(bits),)*)
            }

            fn from_array(values: &[u128]) -> Self {
                let mut values = values.iter();
                $(let $ty = <$ty as WasmTy>::from_bits(values.next().map_or(0, |&v| v as u64));)*
                ($($ty,)*)
            }
        }
    )*};
}

tuples! {
    ;
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
    A B C D E F G H I;
    A B C D E F G H I J;
    A B C D E F G H I J K;
    A B C D E F G H I J K L;
    A B C D E F G H I J K L M;
    A B C D E F G H I J K L M N;
    A B C D E F G H I J K L M N O;
    A B C D E F G H I J K L M N O P;
}

result_tuples! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
    A B C D E F G H I;
    A B C D E F G H I J;
    A B C D E F G H I J K;
    A B C D E F G H I J K L;
    A B C D E F G H I J K L M;
    A B C D E F G H I J K L M N;
    A B C D E F G H I J K L M N O;
    A B C D E F G H I J K L M N O P;
}
