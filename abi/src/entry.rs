//! How calls cross between the host and WebAssembly: the signatures of the thunks.
//!
//! WebAssembly functions use Cranelift's `tail` convention and take the context first:
//!
//! ```text
//! code(ctx, args...) -> results...
//! ```
//!
//! **Entry thunks** (host to WebAssembly) use the C convention. Both call inside a `try_call`. A
//! trap jumps to its handler, which restores the registers that the C convention preserves.
//!
//! ```text
//! typed(ctx, args..., code) -> (trapped, bits)     at most one result, no vector
//! array(ctx, values, code)  -> trapped             any type; 16 bytes a value, results in place
//! ```
//!
//! `trapped` is zero or one; `bits` holds the bits of the result, also of a float; the upper half
//! of a 32-bit result is undefined.
//!
//! **Host thunks** (WebAssembly to host) are the code of function import slots that the host
//! defines. There is one per type, and its context is the slot. It checks that the host has stack
//! left, then calls
//!
//! ```text
//! func(fp, slot, [results,] args...) -> [result]
//! ```
//!
//! in the C convention: `fp` is the frame of the thunk, from which a host function that fails finds
//! the entry thunk to return from; `slot` is the [`crate::vmctx::FuncSlot`]. Two or more results,
//! or a vector, are written through `results`, 16 bytes each; vector arguments are passed by
//! address.

use crate::types::{FuncType, ValType};

/// Bytes of a value in the array of a call whose types are known at run time.
pub const VALUE_SIZE: u32 = 16;

/// Whether functions of this type have a typed entry thunk besides the array entry thunk.
pub fn has_typed_entry(ty: &FuncType) -> bool {
    ty.results().len() <= 1
        && ty.params().len() <= TYPED_MAX_PARAMS
        && !ty.params().iter().chain(ty.results()).any(|&t| t == ValType::V128)
}

/// Maximum number of parameters of a function with a typed entry thunk.
pub const TYPED_MAX_PARAMS: usize = 16;

/// Whether a host function of this type writes its results through a pointer.
pub fn host_results_by_address(ty: &FuncType) -> bool {
    ty.results().len() > 1 || ty.results().first() == Some(&ValType::V128)
}
