//! The translator: operators of WebAssembly to CLIF, with one file per group of operators.

mod alias;
mod budget;
mod bulk;
mod call;
mod control;
mod fuel;
mod global;
mod local;
mod memory;
mod numeric;
mod operators;
mod reference;
mod simd;
mod table;

use crate::error::{CompileError, ErrorKind};
use crate::plan::Plan;
use crate::types::{clif_type, tail_signature, trap_code};
use budget::Budget;
use control::{Control, Frame};
use cranelift_codegen::ir::{
    self, BlockArg, InstBuilder, MemFlagsData, Opcode, Type, Value, types,
};
use cranelift_codegen::isa::TargetFrontendConfig;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use precast_abi::index::FuncIndex;
use precast_abi::trap::TrapCode;
use precast_abi::types::FuncType;
use std::collections::HashMap;
use wasmparser::{MemArg, Operator};

/// An access to a linear memory whose index is popped and whose bounds are checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeapAccess {
    /// The address, without the static offset.
    pub(super) addr: Value,
    /// The static offset.
    pub(super) offset: i32,
    /// Trap code, byte order and alias class of the access.
    pub(super) flags: MemFlagsData,
}

/// Buffers of the translation, reused for every function.
#[derive(Default)]
pub(crate) struct Buffers {
    builder: FunctionBuilderContext,
    stack: Vec<Value>,
    control: Control,
    args: Vec<Value>,
    block_args: Vec<BlockArg>,
    funcs: HashMap<u32, ir::FuncRef>,
    signatures: HashMap<u32, ir::SigRef>,
    budget: Budget,
}

/// The translation of one function: its builder, operand stack and open constructs.
pub(crate) struct FuncTranslator<'a, 'f> {
    pub(super) builder: FunctionBuilder<'f>,
    plan: &'a Plan<'a>,
    /// The context, the function's first parameter.
    ctx: Value,
    stack: &'f mut Vec<Value>,
    control: &'f mut Control,
    args: &'f mut Vec<Value>,
    block_args: &'f mut Vec<BlockArg>,
    budget: &'f mut Budget,
    /// Whether loops load the base of memory 0 into a value of their own.
    base_in_loops: bool,
    /// Declared functions and signatures, by their numbers in the module.
    funcs: &'f mut HashMap<u32, ir::FuncRef>,
    signatures: &'f mut HashMap<u32, ir::SigRef>,
    /// Zeros of the types of locals, their initial values.
    zeros: Vec<(Type, Value)>,
    /// Branch hints, by offset from the start of the body.
    hints: &'a [(u32, bool)],
    body_start: u32,
    /// Whether the code depends on an element of a constant table.
    knows_element: bool,
    /// The count of operators, in code that has one.
    fuel: Option<fuel::Fuel>,
    /// Whether the first operator follows, in code that counts.
    starts_fuel: bool,
    /// Whether the current operator is an access beyond the largest memory, so that code after it
    /// is unreachable.
    always_traps: bool,
}

impl<'a, 'f> FuncTranslator<'a, 'f> {
    /// Starts the translation of a function into an empty `func`. `checks_stack` says whether it
    /// starts with a stack check.
    pub(crate) fn new(
        plan: &'a Plan<'a>,
        index: FuncIndex,
        checks_stack: bool,
        func: &'f mut ir::Function,
        buffers: &'f mut Buffers,
    ) -> Self {
        let ty = plan.module.func_type(index);
        func.signature = tail_signature(ty);
        func.name = ir::UserFuncName::user(0, index.0);
        // The budget counts the pool's capacity, so that must not depend on earlier functions.
        let len = plan.module.body_len(index);
        func.dfg.value_lists = ir::ValueListPool::with_capacity(len);
        buffers.budget.start(len);
        buffers.stack.clear();
        buffers.control.clear();
        buffers.funcs.clear();
        buffers.signatures.clear();
        let mut builder = FunctionBuilder::new(func, &mut buffers.builder);
        let entry = builder.create_block();
        builder.append_block_params_for_function_params(entry);
        builder.switch_to_block(entry);
        builder.seal_block(entry);
        let ctx = builder.block_params(entry)[0];
        let mut translator = FuncTranslator {
            builder,
            plan,
            ctx,
            stack: &mut buffers.stack,
            control: &mut buffers.control,
            args: &mut buffers.args,
            block_args: &mut buffers.block_args,
            budget: &mut buffers.budget,
            base_in_loops: plan.module.defined(index).is_some_and(|n| !plan.dispatches(n)),
            funcs: &mut buffers.funcs,
            signatures: &mut buffers.signatures,
            zeros: Vec::new(),
            hints: plan.module.branch_hints.get(&index).map_or(&[], Vec::as_slice),
            body_start: plan.module.body_start(index),
            knows_element: false,
            fuel: None,
            starts_fuel: plan.counts_fuel,
            always_traps: false,
        };
        for (i, &param) in ty.params().iter().enumerate() {
            let var = translator.builder.declare_var(clif_type(param));
            let value = translator.builder.block_params(entry)[i + 1];
            translator.builder.def_var(var, value);
        }
        translator.control.push(Frame::function(ty.results().len()));
        if checks_stack {
            translator.check_stack();
        }
        translator
    }

    /// Declares `count` more locals.
    pub(crate) fn locals(&mut self, count: u32, ty: wasmparser::ValType) {
        let ty = crate::parse::module::val_type(ty).map_or(types::I64, clif_type);
        let zero = self.zero(ty);
        for _ in 0..count {
            let var = self.builder.declare_var(ty);
            self.builder.def_var(var, zero);
        }
    }

    fn zero(&mut self, ty: Type) -> Value {
        if let Some(&(_, zero)) = self.zeros.iter().find(|(t, _)| *t == ty) {
            return zero;
        }
        let ins = self.builder.ins();
        let zero = match ty {
            types::F32 => ins.f32const(0.0),
            types::F64 => ins.f64const(0.0),
            types::I8X16 => {
                let constant = self.builder.func.dfg.constants.insert(vec![0; 16].into());
                self.builder.ins().vconst(ty, constant)
            }
            ty => ins.iconst(ty, 0),
        };
        self.zeros.push((ty, zero));
        zero
    }

    /// Translates a valid operator.
    pub(crate) fn operator(&mut self, offset: u32, op: &Operator<'_>) -> Result<(), CompileError> {
        self.builder.set_srcloc(ir::SourceLoc::new(offset));
        // The variables of locals come first, and they are all declared by now.
        if std::mem::take(&mut self.starts_fuel) {
            self.start_fuel();
        }
        let reachable = self.control.reachable();
        if reachable {
            self.fuel_before(op);
        }
        if !reachable {
            control::translate_unreachable(self, op);
        } else if operators::translate(self, op).is_err() {
            let message = format!("{op:?} is not supported");
            return Err(CompileError::new(ErrorKind::Unsupported, offset as usize, message));
        }
        if reachable && self.control.reachable() {
            self.fuel_after(op);
        }
        if std::mem::take(&mut self.always_traps) {
            self.builder.ins().trap(trap_code(TrapCode::MemoryOutOfBounds));
            self.leave();
        }
        self.budget.check(self.builder.func, offset)
    }

    /// Ends the translation. Returns whether the code depends on an element of a constant table.
    pub(crate) fn finish(self, config: TargetFrontendConfig) -> bool {
        self.builder.finalize(config);
        self.knows_element
    }

    /// Pops an operand.
    pub(super) fn pop(&mut self) -> Value {
        self.stack.pop().expect("the validator counts operands")
    }

    /// Pops two operands, in the order they were pushed.
    pub(super) fn pop2(&mut self) -> (Value, Value) {
        let b = self.pop();
        let a = self.pop();
        (a, b)
    }

    /// Pops three operands, in the order they were pushed.
    pub(super) fn pop3(&mut self) -> (Value, Value, Value) {
        let c = self.pop();
        let (a, b) = self.pop2();
        (a, b, c)
    }

    /// The topmost operand.
    fn top(&self) -> Value {
        *self.stack.last().expect("the validator counts operands")
    }

    /// Pushes an operand.
    pub(super) fn push(&mut self, value: Value) {
        self.stack.push(value);
    }

    /// Pops a vector, as lanes of type `ty`.
    pub(super) fn pop_v128(&mut self, ty: Type) -> Value {
        let value = self.pop();
        self.bitcast_v128(ty, value)
    }

    /// Pushes a vector of any lanes; on the stack every vector is [`types::I8X16`].
    pub(super) fn push_v128(&mut self, value: Value) {
        let value = self.bitcast_v128(types::I8X16, value);
        self.push(value);
    }

    fn bitcast_v128(&mut self, ty: Type, value: Value) -> Value {
        if self.builder.func.dfg.value_type(value) == ty {
            return value;
        }
        let flags = MemFlagsData::new().with_endianness(ir::Endianness::Little);
        self.builder.ins().bitcast(ty, flags, value)
    }

    /// Pops the index of an access and ensures that the access traps out of bounds.
    pub(super) fn heap_access(&mut self, memarg: &MemArg, access_bytes: u32) -> HeapAccess {
        memory::access(self, memarg, access_bytes)
    }

    /// The bits of a value that is a 32-bit or 64-bit constant.
    fn constant(&self, value: Value) -> Option<u64> {
        let dfg = &self.builder.func.dfg;
        let inst = dfg.value_def(value).inst()?;
        match dfg.insts[inst] {
            ir::InstructionData::UnaryImm { opcode: Opcode::Iconst, imm } => {
                let bits = imm.bits() as u64;
                Some(if dfg.value_type(value) == types::I32 { bits & 0xffff_ffff } else { bits })
            }
            _ => None,
        }
    }

    /// The signature of a type of the module.
    fn signature(&mut self, key: u32, ty: &FuncType) -> ir::SigRef {
        if let Some(&signature) = self.signatures.get(&key) {
            return signature;
        }
        let signature = self.builder.import_signature(tail_signature(ty));
        self.signatures.insert(key, signature);
        signature
    }
}

/// Emits an instruction with one operand; `ty` is its controlling type.
fn emit1(t: &mut FuncTranslator<'_, '_>, ty: Type, opcode: Opcode, x: Value) -> Value {
    let (inst, dfg) = t.builder.ins().Unary(opcode, ty, x);
    dfg.first_result(inst)
}

/// As [`emit1`], with two operands.
fn emit2(t: &mut FuncTranslator<'_, '_>, ty: Type, opcode: Opcode, a: Value, b: Value) -> Value {
    let (inst, dfg) = t.builder.ins().Binary(opcode, ty, a, b);
    dfg.first_result(inst)
}
