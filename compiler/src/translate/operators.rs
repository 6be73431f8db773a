//! The operators that precast supports, and the translation of each.

use super::simd::{self, arith, compare, lanes, memory as vector_memory, widths};
use super::{FuncTranslator, numeric};
use cranelift_codegen::ir::Opcode;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{
    F32, F32X4, F64, F64X2, I8, I8X16, I16, I16X8, I32, I32X4, I64, I64X2,
};
use precast_abi::index::{FuncIndex, GlobalIndex, TableIndex, TypeIndex};
use wasmparser::Operator;

/// An operator of a proposal that precast does not support.
pub(super) struct Unsupported;

/// Translates an operator that is reachable and valid.
pub(super) fn translate(
    t: &mut FuncTranslator<'_, '_>,
    op: &Operator<'_>,
) -> Result<(), Unsupported> {
    use Operator::*;
    match *op {
        Unreachable => t.unreachable(),
        Nop => {}
        Block { blockty } => t.block(blockty),
        Loop { blockty } => t.loop_(blockty),
        If { blockty } => t.if_(blockty),
        Else => t.else_(),
        End => t.end(),
        Br { relative_depth } => t.br(relative_depth),
        BrIf { relative_depth } => t.br_if(relative_depth),
        BrTable { ref targets } => t.br_table(targets),
        Return => t.return_(),

        Call { function_index } => t.call(FuncIndex(function_index)),
        CallIndirect { type_index, table_index } => {
            t.call_indirect(TypeIndex(type_index), TableIndex(table_index));
        }

        Drop => t.drop_operand(),
        Select | TypedSelect { .. } => t.select(),
        LocalGet { local_index } => t.local_get(local_index),
        LocalSet { local_index } => t.local_set(local_index),
        LocalTee { local_index } => t.local_tee(local_index),
        GlobalGet { global_index } => t.global_get(GlobalIndex(global_index)),
        GlobalSet { global_index } => t.global_set(GlobalIndex(global_index)),

        RefNull { .. } => t.ref_null(),
        RefFunc { function_index } => t.ref_func(FuncIndex(function_index)),
        RefIsNull => t.ref_is_null(),

        TableGet { table } => t.table_get(TableIndex(table)),
        TableSet { table } => t.table_set(TableIndex(table)),
        TableSize { table } => t.table_size(TableIndex(table)),
        TableGrow { table } => t.table_grow(table),
        TableFill { table } => t.table_fill(table),
        TableCopy { dst_table, src_table } => t.table_copy(dst_table, src_table),
        TableInit { elem_index, table } => t.table_init(table, elem_index),
        ElemDrop { elem_index } => t.elem_drop(elem_index),

        MemorySize { mem } => t.memory_size(mem),
        MemoryGrow { mem } => t.memory_grow(mem),
        MemoryCopy { dst_mem, src_mem } => t.memory_copy(dst_mem, src_mem),
        MemoryFill { mem } => t.memory_fill(mem),
        MemoryInit { data_index, mem } => t.memory_init(mem, data_index),
        DataDrop { data_index } => t.data_drop(data_index),

        I32Load { memarg } => t.load(&memarg, I32),
        I64Load { memarg } => t.load(&memarg, I64),
        F32Load { memarg } => t.load(&memarg, F32),
        F64Load { memarg } => t.load(&memarg, F64),
        V128Load { memarg } => t.load(&memarg, I8X16),
        I32Load8U { memarg } => t.load_extend(&memarg, I8, I32, false),
        I32Load8S { memarg } => t.load_extend(&memarg, I8, I32, true),
        I32Load16U { memarg } => t.load_extend(&memarg, I16, I32, false),
        I32Load16S { memarg } => t.load_extend(&memarg, I16, I32, true),
        I64Load8U { memarg } => t.load_extend(&memarg, I8, I64, false),
        I64Load8S { memarg } => t.load_extend(&memarg, I8, I64, true),
        I64Load16U { memarg } => t.load_extend(&memarg, I16, I64, false),
        I64Load16S { memarg } => t.load_extend(&memarg, I16, I64, true),
        I64Load32U { memarg } => t.load_extend(&memarg, I32, I64, false),
        I64Load32S { memarg } => t.load_extend(&memarg, I32, I64, true),
        I32Store { memarg }
        | I64Store { memarg }
        | F32Store { memarg }
        | F64Store { memarg }
        | V128Store { memarg } => t.store(&memarg),
        I32Store8 { memarg } | I64Store8 { memarg } => {
            t.store_narrow(&memarg, 1);
        }
        I32Store16 { memarg } | I64Store16 { memarg } => {
            t.store_narrow(&memarg, 2);
        }
        I64Store32 { memarg } => t.store_narrow(&memarg, 4),

        V128Load8x8S { memarg } => vector_memory::load_widened(t, &memarg, Opcode::Sload8x8),
        V128Load8x8U { memarg } => vector_memory::load_widened(t, &memarg, Opcode::Uload8x8),
        V128Load16x4S { memarg } => vector_memory::load_widened(t, &memarg, Opcode::Sload16x4),
        V128Load16x4U { memarg } => vector_memory::load_widened(t, &memarg, Opcode::Uload16x4),
        V128Load32x2S { memarg } => vector_memory::load_widened(t, &memarg, Opcode::Sload32x2),
        V128Load32x2U { memarg } => vector_memory::load_widened(t, &memarg, Opcode::Uload32x2),

        V128Load8Splat { memarg } => vector_memory::load_splat(t, &memarg, I8X16),
        V128Load16Splat { memarg } => vector_memory::load_splat(t, &memarg, I16X8),
        V128Load32Splat { memarg } => vector_memory::load_splat(t, &memarg, F32X4),
        V128Load64Splat { memarg } => vector_memory::load_splat(t, &memarg, F64X2),
        V128Load32Zero { memarg } => vector_memory::load_zero(t, &memarg, F32X4),
        V128Load64Zero { memarg } => vector_memory::load_zero(t, &memarg, F64X2),

        V128Load8Lane { memarg, lane } => vector_memory::load_lane(t, &memarg, I8X16, lane),
        V128Load16Lane { memarg, lane } => vector_memory::load_lane(t, &memarg, I16X8, lane),
        V128Load32Lane { memarg, lane } => vector_memory::load_lane(t, &memarg, F32X4, lane),
        V128Load64Lane { memarg, lane } => vector_memory::load_lane(t, &memarg, F64X2, lane),
        V128Store8Lane { memarg, lane } => vector_memory::store_lane(t, &memarg, I8X16, lane),
        V128Store16Lane { memarg, lane } => vector_memory::store_lane(t, &memarg, I16X8, lane),
        V128Store32Lane { memarg, lane } => vector_memory::store_lane(t, &memarg, F32X4, lane),
        V128Store64Lane { memarg, lane } => vector_memory::store_lane(t, &memarg, F64X2, lane),

        I32Const { value } => numeric::i32_const(t, value),
        I64Const { value } => numeric::i64_const(t, value),
        F32Const { value } => numeric::f32_const(t, value),
        F64Const { value } => numeric::f64_const(t, value),

        I32Eqz | I64Eqz => numeric::eqz(t),
        I32Eq | I64Eq => numeric::icmp(t, IntCC::Equal),
        I32Ne | I64Ne => numeric::icmp(t, IntCC::NotEqual),
        I32LtS | I64LtS => numeric::icmp(t, IntCC::SignedLessThan),
        I32LtU | I64LtU => numeric::icmp(t, IntCC::UnsignedLessThan),
        I32GtS | I64GtS => numeric::icmp(t, IntCC::SignedGreaterThan),
        I32GtU | I64GtU => numeric::icmp(t, IntCC::UnsignedGreaterThan),
        I32LeS | I64LeS => numeric::icmp(t, IntCC::SignedLessThanOrEqual),
        I32LeU | I64LeU => numeric::icmp(t, IntCC::UnsignedLessThanOrEqual),
        I32GeS | I64GeS => numeric::icmp(t, IntCC::SignedGreaterThanOrEqual),
        I32GeU | I64GeU => numeric::icmp(t, IntCC::UnsignedGreaterThanOrEqual),

        F32Eq | F64Eq => numeric::fcmp(t, FloatCC::Equal),
        F32Ne | F64Ne => numeric::fcmp(t, FloatCC::NotEqual),
        F32Lt | F64Lt => numeric::fcmp(t, FloatCC::LessThan),
        F32Gt | F64Gt => numeric::fcmp(t, FloatCC::GreaterThan),
        F32Le | F64Le => numeric::fcmp(t, FloatCC::LessThanOrEqual),
        F32Ge | F64Ge => numeric::fcmp(t, FloatCC::GreaterThanOrEqual),

        I32Clz | I64Clz => numeric::unary(t, Opcode::Clz),
        I32Ctz | I64Ctz => numeric::unary(t, Opcode::Ctz),
        I32Popcnt | I64Popcnt => numeric::unary(t, Opcode::Popcnt),
        I32Add | I64Add => numeric::binary(t, Opcode::Iadd),
        I32Sub | I64Sub => numeric::binary(t, Opcode::Isub),
        I32Mul | I64Mul => numeric::binary(t, Opcode::Imul),
        I32DivS | I64DivS => numeric::binary(t, Opcode::Sdiv),
        I32DivU | I64DivU => numeric::binary(t, Opcode::Udiv),
        I32RemS | I64RemS => numeric::binary(t, Opcode::Srem),
        I32RemU | I64RemU => numeric::binary(t, Opcode::Urem),
        I32And | I64And => numeric::binary(t, Opcode::Band),
        I32Or | I64Or => numeric::binary(t, Opcode::Bor),
        I32Xor | I64Xor => numeric::binary(t, Opcode::Bxor),
        I32Shl | I64Shl => numeric::binary(t, Opcode::Ishl),
        I32ShrS | I64ShrS => numeric::binary(t, Opcode::Sshr),
        I32ShrU | I64ShrU => numeric::binary(t, Opcode::Ushr),
        I32Rotl | I64Rotl => numeric::binary(t, Opcode::Rotl),
        I32Rotr | I64Rotr => numeric::binary(t, Opcode::Rotr),

        F32Abs | F64Abs => numeric::unary(t, Opcode::Fabs),
        F32Neg | F64Neg => numeric::unary(t, Opcode::Fneg),
        F32Ceil | F64Ceil => numeric::unary(t, Opcode::Ceil),
        F32Floor | F64Floor => numeric::unary(t, Opcode::Floor),
        F32Trunc | F64Trunc => numeric::unary(t, Opcode::Trunc),
        F32Nearest | F64Nearest => numeric::unary(t, Opcode::Nearest),
        F32Sqrt | F64Sqrt => numeric::unary(t, Opcode::Sqrt),
        F32Add | F64Add => numeric::binary(t, Opcode::Fadd),
        F32Sub | F64Sub => numeric::binary(t, Opcode::Fsub),
        F32Mul | F64Mul => numeric::binary(t, Opcode::Fmul),
        F32Div | F64Div => numeric::binary(t, Opcode::Fdiv),
        F32Min | F64Min => numeric::binary(t, Opcode::Fmin),
        F32Max | F64Max => numeric::binary(t, Opcode::Fmax),
        F32Copysign | F64Copysign => numeric::binary(t, Opcode::Fcopysign),

        I32WrapI64 => numeric::convert(t, I32, Opcode::Ireduce),
        I64ExtendI32S => numeric::convert(t, I64, Opcode::Sextend),
        I64ExtendI32U => numeric::convert(t, I64, Opcode::Uextend),
        I32Extend8S => numeric::sign_extend(t, I8, I32),
        I32Extend16S => numeric::sign_extend(t, I16, I32),
        I64Extend8S => numeric::sign_extend(t, I8, I64),
        I64Extend16S => numeric::sign_extend(t, I16, I64),
        I64Extend32S => numeric::sign_extend(t, I32, I64),

        I32TruncF32S | I32TruncF64S => numeric::convert(t, I32, Opcode::FcvtToSint),
        I32TruncF32U | I32TruncF64U => numeric::convert(t, I32, Opcode::FcvtToUint),
        I64TruncF32S | I64TruncF64S => numeric::convert(t, I64, Opcode::FcvtToSint),
        I64TruncF32U | I64TruncF64U => numeric::convert(t, I64, Opcode::FcvtToUint),
        I32TruncSatF32S | I32TruncSatF64S => numeric::convert(t, I32, Opcode::FcvtToSintSat),
        I32TruncSatF32U | I32TruncSatF64U => numeric::convert(t, I32, Opcode::FcvtToUintSat),
        I64TruncSatF32S | I64TruncSatF64S => numeric::convert(t, I64, Opcode::FcvtToSintSat),
        I64TruncSatF32U | I64TruncSatF64U => numeric::convert(t, I64, Opcode::FcvtToUintSat),
        F32ConvertI32S | F32ConvertI64S => numeric::convert(t, F32, Opcode::FcvtFromSint),
        F32ConvertI32U | F32ConvertI64U => numeric::convert(t, F32, Opcode::FcvtFromUint),
        F64ConvertI32S | F64ConvertI64S => numeric::convert(t, F64, Opcode::FcvtFromSint),
        F64ConvertI32U | F64ConvertI64U => numeric::convert(t, F64, Opcode::FcvtFromUint),
        F32DemoteF64 => numeric::convert(t, F32, Opcode::Fdemote),
        F64PromoteF32 => numeric::convert(t, F64, Opcode::Fpromote),
        I32ReinterpretF32 => numeric::reinterpret(t, I32),
        I64ReinterpretF64 => numeric::reinterpret(t, I64),
        F32ReinterpretI32 => numeric::reinterpret(t, F32),
        F64ReinterpretI64 => numeric::reinterpret(t, F64),

        V128Const { value } => lanes::v128_const(t, value.bytes()),

        I8x16Splat => lanes::splat(t, I8X16),
        I16x8Splat => lanes::splat(t, I16X8),
        I32x4Splat => lanes::splat(t, I32X4),
        I64x2Splat => lanes::splat(t, I64X2),
        F32x4Splat => lanes::splat(t, F32X4),
        F64x2Splat => lanes::splat(t, F64X2),

        I8x16ExtractLaneS { lane } => lanes::extract_narrow(t, I8X16, lane, Opcode::Sextend),
        I8x16ExtractLaneU { lane } => lanes::extract_narrow(t, I8X16, lane, Opcode::Uextend),
        I16x8ExtractLaneS { lane } => lanes::extract_narrow(t, I16X8, lane, Opcode::Sextend),
        I16x8ExtractLaneU { lane } => lanes::extract_narrow(t, I16X8, lane, Opcode::Uextend),
        I32x4ExtractLane { lane } => lanes::extract(t, I32X4, lane),
        I64x2ExtractLane { lane } => lanes::extract(t, I64X2, lane),
        F32x4ExtractLane { lane } => lanes::extract(t, F32X4, lane),
        F64x2ExtractLane { lane } => lanes::extract(t, F64X2, lane),

        I8x16ReplaceLane { lane } => lanes::replace(t, I8X16, lane),
        I16x8ReplaceLane { lane } => lanes::replace(t, I16X8, lane),
        I32x4ReplaceLane { lane } => lanes::replace(t, I32X4, lane),
        I64x2ReplaceLane { lane } => lanes::replace(t, I64X2, lane),
        F32x4ReplaceLane { lane } => lanes::replace(t, F32X4, lane),
        F64x2ReplaceLane { lane } => lanes::replace(t, F64X2, lane),

        I8x16Shuffle { lanes } => lanes::shuffle(t, lanes),
        I8x16Swizzle => lanes::swizzle(t),

        I8x16Abs => simd::unary(t, I8X16, Opcode::Iabs),
        I8x16Neg => simd::unary(t, I8X16, Opcode::Ineg),
        I8x16Popcnt => simd::unary(t, I8X16, Opcode::Popcnt),
        I8x16Shl => arith::shift(t, I8X16, Opcode::Ishl),
        I8x16ShrS => arith::shift(t, I8X16, Opcode::Sshr),
        I8x16ShrU => arith::shift(t, I8X16, Opcode::Ushr),
        I8x16Add => simd::binary(t, I8X16, Opcode::Iadd),
        I8x16AddSatS => simd::binary(t, I8X16, Opcode::SaddSat),
        I8x16AddSatU => simd::binary(t, I8X16, Opcode::UaddSat),
        I8x16Sub => simd::binary(t, I8X16, Opcode::Isub),
        I8x16SubSatS => simd::binary(t, I8X16, Opcode::SsubSat),
        I8x16SubSatU => simd::binary(t, I8X16, Opcode::UsubSat),
        I8x16MinS => simd::binary(t, I8X16, Opcode::Smin),
        I8x16MinU => simd::binary(t, I8X16, Opcode::Umin),
        I8x16MaxS => simd::binary(t, I8X16, Opcode::Smax),
        I8x16MaxU => simd::binary(t, I8X16, Opcode::Umax),
        I8x16AvgrU => simd::binary(t, I8X16, Opcode::AvgRound),

        I16x8Abs => simd::unary(t, I16X8, Opcode::Iabs),
        I16x8Neg => simd::unary(t, I16X8, Opcode::Ineg),
        I16x8Shl => arith::shift(t, I16X8, Opcode::Ishl),
        I16x8ShrS => arith::shift(t, I16X8, Opcode::Sshr),
        I16x8ShrU => arith::shift(t, I16X8, Opcode::Ushr),
        I16x8Add => simd::binary(t, I16X8, Opcode::Iadd),
        I16x8AddSatS => simd::binary(t, I16X8, Opcode::SaddSat),
        I16x8AddSatU => simd::binary(t, I16X8, Opcode::UaddSat),
        I16x8Sub => simd::binary(t, I16X8, Opcode::Isub),
        I16x8SubSatS => simd::binary(t, I16X8, Opcode::SsubSat),
        I16x8SubSatU => simd::binary(t, I16X8, Opcode::UsubSat),
        I16x8Mul => simd::binary(t, I16X8, Opcode::Imul),
        I16x8MinS => simd::binary(t, I16X8, Opcode::Smin),
        I16x8MinU => simd::binary(t, I16X8, Opcode::Umin),
        I16x8MaxS => simd::binary(t, I16X8, Opcode::Smax),
        I16x8MaxU => simd::binary(t, I16X8, Opcode::Umax),
        I16x8AvgrU => simd::binary(t, I16X8, Opcode::AvgRound),
        I16x8Q15MulrSatS => simd::binary(t, I16X8, Opcode::SqmulRoundSat),

        I32x4Abs => simd::unary(t, I32X4, Opcode::Iabs),
        I32x4Neg => simd::unary(t, I32X4, Opcode::Ineg),
        I32x4Shl => arith::shift(t, I32X4, Opcode::Ishl),
        I32x4ShrS => arith::shift(t, I32X4, Opcode::Sshr),
        I32x4ShrU => arith::shift(t, I32X4, Opcode::Ushr),
        I32x4Add => simd::binary(t, I32X4, Opcode::Iadd),
        I32x4Sub => simd::binary(t, I32X4, Opcode::Isub),
        I32x4Mul => simd::binary(t, I32X4, Opcode::Imul),
        I32x4MinS => simd::binary(t, I32X4, Opcode::Smin),
        I32x4MinU => simd::binary(t, I32X4, Opcode::Umin),
        I32x4MaxS => simd::binary(t, I32X4, Opcode::Smax),
        I32x4MaxU => simd::binary(t, I32X4, Opcode::Umax),

        I64x2Abs => simd::unary(t, I64X2, Opcode::Iabs),
        I64x2Neg => simd::unary(t, I64X2, Opcode::Ineg),
        I64x2Shl => arith::shift(t, I64X2, Opcode::Ishl),
        I64x2ShrS => arith::shift(t, I64X2, Opcode::Sshr),
        I64x2ShrU => arith::shift(t, I64X2, Opcode::Ushr),
        I64x2Add => simd::binary(t, I64X2, Opcode::Iadd),
        I64x2Sub => simd::binary(t, I64X2, Opcode::Isub),
        I64x2Mul => simd::binary(t, I64X2, Opcode::Imul),

        F32x4Abs => simd::unary(t, F32X4, Opcode::Fabs),
        F32x4Neg => simd::unary(t, F32X4, Opcode::Fneg),
        F32x4Sqrt => simd::unary(t, F32X4, Opcode::Sqrt),
        F32x4Ceil => simd::unary(t, F32X4, Opcode::Ceil),
        F32x4Floor => simd::unary(t, F32X4, Opcode::Floor),
        F32x4Trunc => simd::unary(t, F32X4, Opcode::Trunc),
        F32x4Nearest => simd::unary(t, F32X4, Opcode::Nearest),
        F32x4Add => simd::binary(t, F32X4, Opcode::Fadd),
        F32x4Sub => simd::binary(t, F32X4, Opcode::Fsub),
        F32x4Mul => simd::binary(t, F32X4, Opcode::Fmul),
        F32x4Div => simd::binary(t, F32X4, Opcode::Fdiv),
        F32x4Min => simd::binary(t, F32X4, Opcode::Fmin),
        F32x4Max => simd::binary(t, F32X4, Opcode::Fmax),
        F32x4PMin => arith::pmin(t, F32X4),
        F32x4PMax => arith::pmax(t, F32X4),

        F64x2Abs => simd::unary(t, F64X2, Opcode::Fabs),
        F64x2Neg => simd::unary(t, F64X2, Opcode::Fneg),
        F64x2Sqrt => simd::unary(t, F64X2, Opcode::Sqrt),
        F64x2Ceil => simd::unary(t, F64X2, Opcode::Ceil),
        F64x2Floor => simd::unary(t, F64X2, Opcode::Floor),
        F64x2Trunc => simd::unary(t, F64X2, Opcode::Trunc),
        F64x2Nearest => simd::unary(t, F64X2, Opcode::Nearest),
        F64x2Add => simd::binary(t, F64X2, Opcode::Fadd),
        F64x2Sub => simd::binary(t, F64X2, Opcode::Fsub),
        F64x2Mul => simd::binary(t, F64X2, Opcode::Fmul),
        F64x2Div => simd::binary(t, F64X2, Opcode::Fdiv),
        F64x2Min => simd::binary(t, F64X2, Opcode::Fmin),
        F64x2Max => simd::binary(t, F64X2, Opcode::Fmax),
        F64x2PMin => arith::pmin(t, F64X2),
        F64x2PMax => arith::pmax(t, F64X2),

        I8x16Eq => compare::icmp(t, I8X16, IntCC::Equal),
        I8x16Ne => compare::icmp(t, I8X16, IntCC::NotEqual),
        I8x16LtS => compare::icmp(t, I8X16, IntCC::SignedLessThan),
        I8x16LtU => compare::icmp(t, I8X16, IntCC::UnsignedLessThan),
        I8x16GtS => compare::icmp(t, I8X16, IntCC::SignedGreaterThan),
        I8x16GtU => compare::icmp(t, I8X16, IntCC::UnsignedGreaterThan),
        I8x16LeS => compare::icmp(t, I8X16, IntCC::SignedLessThanOrEqual),
        I8x16LeU => compare::icmp(t, I8X16, IntCC::UnsignedLessThanOrEqual),
        I8x16GeS => compare::icmp(t, I8X16, IntCC::SignedGreaterThanOrEqual),
        I8x16GeU => compare::icmp(t, I8X16, IntCC::UnsignedGreaterThanOrEqual),

        I16x8Eq => compare::icmp(t, I16X8, IntCC::Equal),
        I16x8Ne => compare::icmp(t, I16X8, IntCC::NotEqual),
        I16x8LtS => compare::icmp(t, I16X8, IntCC::SignedLessThan),
        I16x8LtU => compare::icmp(t, I16X8, IntCC::UnsignedLessThan),
        I16x8GtS => compare::icmp(t, I16X8, IntCC::SignedGreaterThan),
        I16x8GtU => compare::icmp(t, I16X8, IntCC::UnsignedGreaterThan),
        I16x8LeS => compare::icmp(t, I16X8, IntCC::SignedLessThanOrEqual),
        I16x8LeU => compare::icmp(t, I16X8, IntCC::UnsignedLessThanOrEqual),
        I16x8GeS => compare::icmp(t, I16X8, IntCC::SignedGreaterThanOrEqual),
        I16x8GeU => compare::icmp(t, I16X8, IntCC::UnsignedGreaterThanOrEqual),

        I32x4Eq => compare::icmp(t, I32X4, IntCC::Equal),
        I32x4Ne => compare::icmp(t, I32X4, IntCC::NotEqual),
        I32x4LtS => compare::icmp(t, I32X4, IntCC::SignedLessThan),
        I32x4LtU => compare::icmp(t, I32X4, IntCC::UnsignedLessThan),
        I32x4GtS => compare::icmp(t, I32X4, IntCC::SignedGreaterThan),
        I32x4GtU => compare::icmp(t, I32X4, IntCC::UnsignedGreaterThan),
        I32x4LeS => compare::icmp(t, I32X4, IntCC::SignedLessThanOrEqual),
        I32x4LeU => compare::icmp(t, I32X4, IntCC::UnsignedLessThanOrEqual),
        I32x4GeS => compare::icmp(t, I32X4, IntCC::SignedGreaterThanOrEqual),
        I32x4GeU => compare::icmp(t, I32X4, IntCC::UnsignedGreaterThanOrEqual),

        I64x2Eq => compare::icmp(t, I64X2, IntCC::Equal),
        I64x2Ne => compare::icmp(t, I64X2, IntCC::NotEqual),
        I64x2LtS => compare::icmp(t, I64X2, IntCC::SignedLessThan),
        I64x2GtS => compare::icmp(t, I64X2, IntCC::SignedGreaterThan),
        I64x2LeS => compare::icmp(t, I64X2, IntCC::SignedLessThanOrEqual),
        I64x2GeS => compare::icmp(t, I64X2, IntCC::SignedGreaterThanOrEqual),

        F32x4Eq => compare::fcmp(t, F32X4, FloatCC::Equal),
        F32x4Ne => compare::fcmp(t, F32X4, FloatCC::NotEqual),
        F32x4Lt => compare::fcmp(t, F32X4, FloatCC::LessThan),
        F32x4Gt => compare::fcmp(t, F32X4, FloatCC::GreaterThan),
        F32x4Le => compare::fcmp(t, F32X4, FloatCC::LessThanOrEqual),
        F32x4Ge => compare::fcmp(t, F32X4, FloatCC::GreaterThanOrEqual),

        F64x2Eq => compare::fcmp(t, F64X2, FloatCC::Equal),
        F64x2Ne => compare::fcmp(t, F64X2, FloatCC::NotEqual),
        F64x2Lt => compare::fcmp(t, F64X2, FloatCC::LessThan),
        F64x2Gt => compare::fcmp(t, F64X2, FloatCC::GreaterThan),
        F64x2Le => compare::fcmp(t, F64X2, FloatCC::LessThanOrEqual),
        F64x2Ge => compare::fcmp(t, F64X2, FloatCC::GreaterThanOrEqual),

        V128Not => simd::unary(t, I8X16, Opcode::Bnot),
        V128And => simd::binary(t, I8X16, Opcode::Band),
        V128Or => simd::binary(t, I8X16, Opcode::Bor),
        V128Xor => simd::binary(t, I8X16, Opcode::Bxor),
        V128AndNot => compare::and_not(t),
        V128Bitselect => compare::bitselect(t),

        V128AnyTrue => compare::truth(t, I8X16, Opcode::VanyTrue),
        I8x16AllTrue => compare::truth(t, I8X16, Opcode::VallTrue),
        I16x8AllTrue => compare::truth(t, I16X8, Opcode::VallTrue),
        I32x4AllTrue => compare::truth(t, I32X4, Opcode::VallTrue),
        I64x2AllTrue => compare::truth(t, I64X2, Opcode::VallTrue),

        I8x16Bitmask => compare::bitmask(t, I8X16),
        I16x8Bitmask => compare::bitmask(t, I16X8),
        I32x4Bitmask => compare::bitmask(t, I32X4),
        I64x2Bitmask => compare::bitmask(t, I64X2),

        I8x16NarrowI16x8S => simd::binary(t, I16X8, Opcode::Snarrow),
        I8x16NarrowI16x8U => simd::binary(t, I16X8, Opcode::Unarrow),
        I16x8NarrowI32x4S => simd::binary(t, I32X4, Opcode::Snarrow),
        I16x8NarrowI32x4U => simd::binary(t, I32X4, Opcode::Unarrow),

        I16x8ExtendLowI8x16S => simd::unary(t, I8X16, Opcode::SwidenLow),
        I16x8ExtendHighI8x16S => simd::unary(t, I8X16, Opcode::SwidenHigh),
        I16x8ExtendLowI8x16U => simd::unary(t, I8X16, Opcode::UwidenLow),
        I16x8ExtendHighI8x16U => simd::unary(t, I8X16, Opcode::UwidenHigh),
        I32x4ExtendLowI16x8S => simd::unary(t, I16X8, Opcode::SwidenLow),
        I32x4ExtendHighI16x8S => simd::unary(t, I16X8, Opcode::SwidenHigh),
        I32x4ExtendLowI16x8U => simd::unary(t, I16X8, Opcode::UwidenLow),
        I32x4ExtendHighI16x8U => simd::unary(t, I16X8, Opcode::UwidenHigh),
        I64x2ExtendLowI32x4S => simd::unary(t, I32X4, Opcode::SwidenLow),
        I64x2ExtendHighI32x4S => simd::unary(t, I32X4, Opcode::SwidenHigh),
        I64x2ExtendLowI32x4U => simd::unary(t, I32X4, Opcode::UwidenLow),
        I64x2ExtendHighI32x4U => simd::unary(t, I32X4, Opcode::UwidenHigh),

        I16x8ExtMulLowI8x16S => widths::ext_mul(t, I8X16, Opcode::SwidenLow),
        I16x8ExtMulHighI8x16S => widths::ext_mul(t, I8X16, Opcode::SwidenHigh),
        I16x8ExtMulLowI8x16U => widths::ext_mul(t, I8X16, Opcode::UwidenLow),
        I16x8ExtMulHighI8x16U => widths::ext_mul(t, I8X16, Opcode::UwidenHigh),
        I32x4ExtMulLowI16x8S => widths::ext_mul(t, I16X8, Opcode::SwidenLow),
        I32x4ExtMulHighI16x8S => widths::ext_mul(t, I16X8, Opcode::SwidenHigh),
        I32x4ExtMulLowI16x8U => widths::ext_mul(t, I16X8, Opcode::UwidenLow),
        I32x4ExtMulHighI16x8U => widths::ext_mul(t, I16X8, Opcode::UwidenHigh),
        I64x2ExtMulLowI32x4S => widths::ext_mul(t, I32X4, Opcode::SwidenLow),
        I64x2ExtMulHighI32x4S => widths::ext_mul(t, I32X4, Opcode::SwidenHigh),
        I64x2ExtMulLowI32x4U => widths::ext_mul(t, I32X4, Opcode::UwidenLow),
        I64x2ExtMulHighI32x4U => widths::ext_mul(t, I32X4, Opcode::UwidenHigh),

        I16x8ExtAddPairwiseI8x16S => {
            widths::ext_add(t, I8X16, Opcode::SwidenLow, Opcode::SwidenHigh)
        }
        I16x8ExtAddPairwiseI8x16U => {
            widths::ext_add(t, I8X16, Opcode::UwidenLow, Opcode::UwidenHigh)
        }
        I32x4ExtAddPairwiseI16x8S => {
            widths::ext_add(t, I16X8, Opcode::SwidenLow, Opcode::SwidenHigh)
        }
        I32x4ExtAddPairwiseI16x8U => {
            widths::ext_add(t, I16X8, Opcode::UwidenLow, Opcode::UwidenHigh)
        }
        I32x4DotI16x8S => widths::dot(t),

        I32x4TruncSatF32x4S => simd::convert(t, F32X4, I32X4, Opcode::FcvtToSintSat),
        I32x4TruncSatF32x4U => simd::convert(t, F32X4, I32X4, Opcode::FcvtToUintSat),
        I32x4TruncSatF64x2SZero => widths::trunc_zero(t, Opcode::FcvtToSintSat, Opcode::Snarrow),
        I32x4TruncSatF64x2UZero => widths::trunc_zero(t, Opcode::FcvtToUintSat, Opcode::Uunarrow),
        F32x4ConvertI32x4S => simd::convert(t, I32X4, F32X4, Opcode::FcvtFromSint),
        F32x4ConvertI32x4U => simd::convert(t, I32X4, F32X4, Opcode::FcvtFromUint),
        F64x2ConvertLowI32x4S => widths::convert_low(t, Opcode::SwidenLow, Opcode::FcvtFromSint),
        F64x2ConvertLowI32x4U => widths::convert_low(t, Opcode::UwidenLow, Opcode::FcvtFromUint),
        F32x4DemoteF64x2Zero => widths::demote(t),
        F64x2PromoteLowF32x4 => widths::promote_low(t),

        _ => return Err(Unsupported),
    }
    Ok(())
}

#[cfg(test)]
mod tests;
