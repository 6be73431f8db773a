//! Types, signatures and trap codes of WebAssembly in the code generator's terms.

use cranelift_codegen::ir::{AbiParam, Signature, TrapCode as Code, Type, types};
use cranelift_codegen::isa::CallConv;
use precast_abi::builtin::Word;
use precast_abi::trap::TrapCode;
use precast_abi::types::{FuncType, ValType};
use std::num::NonZeroU8;

/// The type of a value. References are addresses; a vector has lanes of bytes unless an operator
/// needs others.
pub(crate) fn clif_type(ty: ValType) -> Type {
    match ty {
        ValType::I32 => types::I32,
        ValType::F32 => types::F32,
        ValType::F64 => types::F64,
        ValType::V128 => types::I8X16,
        // References are addresses or numbers of the runtime.
        _ => types::I64,
    }
}

/// The type of a builtin's parameter or result.
pub(crate) fn word_type(word: Word) -> Type {
    match word {
        Word::U32 => types::I32,
        Word::U64 => types::I64,
    }
}

/// The signature of WebAssembly code: the context, then the parameters of the type.
pub(crate) fn tail_signature(ty: &FuncType) -> Signature {
    let mut signature = Signature::new(CallConv::Tail);
    let params = ty.params().iter().map(|&ty| AbiParam::new(clif_type(ty)));
    signature.params.push(AbiParam::new(types::I64));
    signature.params.extend(params);
    signature.returns.extend(ty.results().iter().map(|&ty| AbiParam::new(clif_type(ty))));
    signature
}

/// The code generator's trap code with the same number.
pub(crate) fn trap_code(code: TrapCode) -> Code {
    Code::from_raw(NonZeroU8::new(code.raw()).expect("trap codes start at one"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_trap_codes_agree() {
        for (ours, theirs) in [
            (TrapCode::StackOverflow, Code::STACK_OVERFLOW),
            (TrapCode::IntegerOverflow, Code::INTEGER_OVERFLOW),
            (TrapCode::MemoryOutOfBounds, Code::HEAP_OUT_OF_BOUNDS),
            (TrapCode::IntegerDivisionByZero, Code::INTEGER_DIVISION_BY_ZERO),
            (TrapCode::BadConversionToInteger, Code::BAD_CONVERSION_TO_INTEGER),
        ] {
            assert_eq!(trap_code(ours), theirs);
        }
        for code in [TrapCode::Unreachable, TrapCode::IndirectCallTypeMismatch] {
            assert_eq!(Code::user(code.raw()), Some(trap_code(code)));
        }
    }
}
