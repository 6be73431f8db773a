//! Thunks: functions through which calls cross between the host and WebAssembly.
//! [`precast_abi::entry`] describes their signatures.
//!
//! The functions here emit into any [`Module`]: that of the artifact, or one that compiles into
//! memory, for functions whose type is only known at run time.

use crate::link::emitter::{c_signature, check_stack};
use crate::types::{clif_type, tail_signature};
use cranelift_codegen::ir::{
    AbiParam, BlockArg, ExceptionTableData, ExceptionTableItem, InstBuilder, MemFlagsData,
    Signature, StackSlotData, StackSlotKind, Type, Value, types,
};
use cranelift_frontend::FunctionBuilder;
use cranelift_module::{FuncId, Module, ModuleResult};
use precast_abi::entry::{VALUE_SIZE, host_results_by_address};
use precast_abi::types::{FuncType, ValType};
use precast_abi::vmctx::{FuncSlot, HostRecord, STORE};

pub use crate::link::compiled::{Handler, handlers};
pub use crate::link::emitter::Emitter;

/// The record that a host thunk is passed as its context.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HostContext {
    /// The [`FuncSlot`] of an importing instance.
    FuncSlot,
    /// A [`HostRecord`].
    HostRecord,
}

/// The signature of a host thunk: that of WebAssembly code.
pub fn host_signature(ty: &FuncType) -> Signature {
    tail_signature(ty)
}

/// The signature of a typed entry thunk.
pub fn typed_entry_signature<M: Module>(module: &M, ty: &FuncType) -> Signature {
    let mut signature = c_signature(module);
    signature.params = tail_signature(ty).params;
    signature.params.push(AbiParam::new(types::I64));
    signature.returns = vec![AbiParam::new(types::I64); 2];
    signature
}

/// The signature of an array entry thunk.
pub fn array_entry_signature<M: Module>(module: &M) -> Signature {
    let mut signature = c_signature(module);
    signature.params = vec![AbiParam::new(types::I64); 3];
    signature.returns = vec![AbiParam::new(types::I64)];
    signature
}

/// Emits the typed entry thunk of a type. Its handler is in [`handlers`] of
/// [`Emitter::compiled`].
///
/// # Errors
///
/// If the code generator fails.
pub fn emit_entry_typed<M: Module>(
    emitter: &mut Emitter,
    module: &mut M,
    id: FuncId,
    ty: &FuncType,
) -> ModuleResult<()> {
    let signature = typed_entry_signature(module, ty);
    emitter.define(module, id, signature, |b, params| {
        let (code, args) = params.split_last().expect("there is always the code");
        let results = try_call(b, ty, *code, args, |b| {
            let zero = b.ins().iconst(types::I64, 0);
            let one = b.ins().iconst(types::I64, 1);
            b.ins().return_(&[one, zero]);
        });
        let zero = b.ins().iconst(types::I64, 0);
        let bits = results.first().map_or(zero, |&value| bits(b, value));
        b.ins().return_(&[zero, bits]);
    })
}

/// Emits the array entry thunk of a type. Its handler is in [`handlers`] of
/// [`Emitter::compiled`].
///
/// # Errors
///
/// When the code generator fails.
pub fn emit_entry_array<M: Module>(
    emitter: &mut Emitter,
    module: &mut M,
    id: FuncId,
    ty: &FuncType,
) -> ModuleResult<()> {
    let signature = array_entry_signature(module);
    emitter.define(module, id, signature, |b, params| {
        let &[ctx, values, code] = params else { unreachable!("the signature has three") };
        let mut args = vec![ctx];
        for (i, &param) in ty.params().iter().enumerate() {
            args.push(b.ins().load(clif_type(param), flags(), values, place(i)));
        }
        let results = try_call(b, ty, code, &args, |b| {
            let one = b.ins().iconst(types::I64, 1);
            b.ins().return_(&[one]);
        });
        for (i, &result) in results.iter().enumerate() {
            b.ins().store(flags(), result, values, place(i));
        }
        let zero = b.ins().iconst(types::I64, 0);
        b.ins().return_(&[zero]);
    })
}

/// Emits the host thunk of a type, for a host function that takes arguments and returns results in
/// the C convention.
///
/// # Errors
///
/// When the code generator fails.
pub fn emit_host_typed<M: Module>(
    emitter: &mut Emitter,
    module: &mut M,
    id: FuncId,
    ty: &FuncType,
    context: HostContext,
) -> ModuleResult<()> {
    let by_address = host_results_by_address(ty);
    let mut callee = c_signature(module);
    let pointer = AbiParam::new(types::I64);
    callee.params.extend([pointer; 2]);
    callee.params.extend(by_address.then_some(pointer));
    callee.params.extend(ty.params().iter().map(|&param| AbiParam::new(host_type(param))));
    if !by_address {
        callee.returns.extend(ty.results().iter().map(|&ty| AbiParam::new(clif_type(ty))));
    }
    emitter.define(module, id, host_signature(ty), |b, params| {
        let (mut args, func) = enter_host(b, params[0], context);
        let values = by_address.then(|| values(b, ty.results().len()));
        args.extend(values);
        for (&param, &arg) in ty.params().iter().zip(&params[1..]) {
            args.push(match param {
                ValType::V128 => {
                    let copy = self::values(b, 1);
                    b.ins().store(flags(), arg, copy, 0);
                    copy
                }
                _ => arg,
            });
        }
        let signature = b.import_signature(callee);
        let call = b.ins().call_indirect(signature, func, &args);
        let results = match values {
            Some(values) => load_results(b, ty, values),
            None => b.inst_results(call).to_vec(),
        };
        b.ins().return_(&results);
    })
}

/// Emits the host thunk of a type, for a host function that takes all values in an array:
/// `func(fp, slot, values)`, results in place.
///
/// # Errors
///
/// When the code generator fails.
pub fn emit_host_array<M: Module>(
    emitter: &mut Emitter,
    module: &mut M,
    id: FuncId,
    ty: &FuncType,
    context: HostContext,
) -> ModuleResult<()> {
    let mut callee = c_signature(module);
    callee.params.extend([AbiParam::new(types::I64); 3]);
    emitter.define(module, id, host_signature(ty), |b, params| {
        let (mut args, func) = enter_host(b, params[0], context);
        let values = values(b, ty.params().len().max(ty.results().len()));
        for (i, &arg) in params[1..].iter().enumerate() {
            b.ins().store(flags(), arg, values, place(i));
        }
        args.push(values);
        let signature = b.import_signature(callee);
        b.ins().call_indirect(signature, func, &args);
        let results = load_results(b, ty, values);
        b.ins().return_(&results);
    })
}

/// Calls WebAssembly code. `trapped` builds the handler. Code continues where the call returns; the
/// values are its results.
fn try_call(
    b: &mut FunctionBuilder<'_>,
    ty: &FuncType,
    code: Value,
    args: &[Value],
    trapped: impl FnOnce(&mut FunctionBuilder<'_>),
) -> Vec<Value> {
    let signature = b.import_signature(tail_signature(ty));
    let normal = b.create_block();
    let handler = b.create_block();
    b.set_cold_block(handler);
    let mut results = Vec::new();
    for &result in ty.results() {
        results.push(b.append_block_param(normal, clif_type(result)));
    }
    let rets: Vec<_> = (0..results.len() as u32).map(BlockArg::TryCallRet).collect();
    let normal_call = b.func.dfg.block_call(normal, &rets);
    let handler_call = b.func.dfg.block_call(handler, &[]);
    let catch_all = ExceptionTableItem::Default(handler_call);
    let table = ExceptionTableData::new(signature, normal_call, [catch_all]);
    let table = b.func.dfg.exception_tables.push(table);
    b.ins().try_call_indirect(code, args, table);
    b.switch_to_block(handler);
    trapped(b);
    b.switch_to_block(normal);
    results
}

/// Emits the prologue of a host thunk. Returns the first arguments of every host function, and the
/// function.
fn enter_host(
    b: &mut FunctionBuilder<'_>,
    slot: Value,
    context: HostContext,
) -> (Vec<Value>, Value) {
    const _: () = assert!(HostRecord::SLOT == 0);
    match context {
        HostContext::FuncSlot => {
            let importer = b.ins().load(types::I64, flags(), slot, FuncSlot::IMPORTER);
            check_stack(b, importer, STORE);
        }
        HostContext::HostRecord => check_stack(b, slot, HostRecord::STORE),
    }
    let fp = b.ins().get_frame_pointer(types::I64);
    let func = b.ins().load(types::I64, flags(), slot, FuncSlot::FUNC);
    (vec![fp, slot], func)
}

/// Reserves stack for values and returns the address.
fn values(b: &mut FunctionBuilder<'_>, count: usize) -> Value {
    let size = count as u32 * VALUE_SIZE;
    let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, size, 4);
    let slot = b.create_sized_stack_slot(slot);
    b.ins().stack_addr(types::I64, slot, 0)
}

fn load_results(b: &mut FunctionBuilder<'_>, ty: &FuncType, values: Value) -> Vec<Value> {
    let loads = ty.results().iter().enumerate();
    loads.map(|(i, &ty)| b.ins().load(clif_type(ty), flags(), values, place(i))).collect()
}

/// The bits of a value in 64 bits.
fn bits(b: &mut FunctionBuilder<'_>, value: Value) -> Value {
    match b.func.dfg.value_type(value) {
        types::I32 => b.ins().uextend(types::I64, value),
        types::F32 => {
            let bits = b.ins().bitcast(types::I32, MemFlagsData::new(), value);
            b.ins().uextend(types::I64, bits)
        }
        types::F64 => b.ins().bitcast(types::I64, MemFlagsData::new(), value),
        _ => value,
    }
}

/// The type in which a host function takes a value: vectors are passed by address.
fn host_type(ty: ValType) -> Type {
    match ty {
        ValType::V128 => types::I64,
        ty => clif_type(ty),
    }
}

/// The offset of a value in an array.
fn place(index: usize) -> i32 {
    index as i32 * VALUE_SIZE as i32
}

fn flags() -> MemFlagsData {
    MemFlagsData::new().with_notrap()
}
