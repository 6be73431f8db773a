//! Calls: direct, to imports, through tables, and to the runtime's builtins.

use super::FuncTranslator;
use super::alias::AliasClass;
use crate::plan::TablePlace;
use crate::plan::constant_table::{CHECKED_ENTRY, ConstantTable, Dispatch, type_number};
use crate::spectre;
use crate::types::trap_code;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, SigRef, Value, types};
use cranelift_module::{DataId, FuncId};
use precast_abi::builtin::Builtin;
use precast_abi::index::{FuncIndex, TableIndex, TypeIndex};
use precast_abi::store_context::STACK_LIMIT;
use precast_abi::trap::TrapCode;
use precast_abi::types::FuncType;
use precast_abi::vmctx::{FuncRef, FuncSlot, STORE, TRAP_OPERAND};

impl<'a> FuncTranslator<'a, '_> {
    /// Emits the stack check: a trap if the stack pointer, after the frame is allocated, is below
    /// the stack limit.
    pub(super) fn check_stack(&mut self) {
        let flags = self.constant_flags();
        let store = self.builder.ins().load(types::I64, flags, self.ctx, STORE);
        let flags = self.flags(AliasClass::StackLimit);
        let limit = self.builder.ins().load(types::I64, flags, store, STACK_LIMIT);
        let sp = self.builder.ins().get_stack_pointer(types::I64);
        let below = self.builder.ins().icmp(IntCC::UnsignedLessThan, sp, limit);
        self.builder.ins().trapnz(below, trap_code(TrapCode::StackOverflow));
    }

    pub(super) fn call(&mut self, func: FuncIndex) {
        let plan = self.plan;
        let ty = plan.module.func_type(func);
        let signature = self.type_signature(plan.module.canonical_type(func), ty);
        if let Some(n) = plan.module.defined(func) {
            let callee = self.code(plan.ids.defined(n), signature);
            let args = self.call_args(self.ctx, ty);
            let call = self.builder.ins().call(callee, &args);
            return self.call_results(call, args);
        }
        let slot = plan.regions.func_import(func.0);
        let flags = self.constant_flags();
        let code = self.builder.ins().load(types::I64, flags, self.ctx, slot + FuncSlot::CODE);
        let ctx = self.builder.ins().load(types::I64, flags, self.ctx, slot + FuncSlot::CTX);
        self.call_address(ty, signature, code, ctx);
    }

    pub(super) fn call_indirect(&mut self, ty: TypeIndex, table: TableIndex) {
        let plan = self.plan;
        let index = self.pop();
        let func_type = &plan.module.types[ty.index()];
        let ty = plan.module.canonical[ty.index()];
        let signature = self.type_signature(ty, func_type);
        match plan.table(table) {
            TablePlace::Constant(known) => {
                if let Some(at) = self.constant(index) {
                    self.knows_element = true;
                    if let Some(&Some(func)) = known.elements.get(at as usize)
                        && plan.module.canonical_type(func) == ty
                    {
                        return self.call(func);
                    }
                }
                let code = self.dispatch(known, ty, index);
                self.call_address(func_type, signature, code, self.ctx);
            }
            _ => self.call_entry(ty, signature, table, index),
        }
    }

    /// The code to call for an element of a constant table, loaded from a dispatch table.
    fn dispatch(&mut self, known: &ConstantTable, ty: TypeIndex, index: Value) -> Value {
        let count = known.elements.len() as i64;
        let len = self.builder.ins().iconst(types::I32, count);
        let outside = self.builder.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, index, len);
        // The load must not move before the check.
        let flags = self.flags(AliasClass::Constant).with_readonly();
        if !self.plan.spectre_guards {
            self.builder.ins().trapnz(outside, trap_code(TrapCode::UndefinedElement));
        }
        let mut wide = self.widen(index);
        if self.plan.spectre_guards {
            // The entry after the elements traps; it replaces all indices beyond them.
            let last = self.builder.ins().iconst(types::I64, count);
            wide = spectre::guard(&mut self.builder, outside, last, wide);
        }
        let (object, entry) = match known.dispatch(ty) {
            Dispatch::Unchecked(object) => (object, 4),
            Dispatch::Checked(object) => (object, CHECKED_ENTRY),
        };
        let start = self.data_address(object);
        let distance = self.builder.ins().imul_imm_s(wide, entry);
        let at = self.builder.ins().iadd(start, distance);
        let mut wrong = None;
        if let Dispatch::Checked(_) = known.dispatch(ty) {
            let found = self.builder.ins().load(types::I32, flags, at, 4);
            let number = i64::from(type_number(ty));
            let differs = self.builder.ins().icmp_imm_s(IntCC::NotEqual, found, number);
            self.cold(differs, |t| {
                if t.plan.spectre_guards {
                    t.builder.ins().trapnz(outside, trap_code(TrapCode::UndefinedElement));
                }
                t.wrong_type(found, wide);
            });
            wrong = Some(differs);
        }
        let code = self.builder.ins().load(types::I32, flags, at, 0);
        let code = self.builder.ins().sextend(types::I64, code);
        let code = self.builder.ins().iadd(start, code);
        self.guarded_code(wrong, code)
    }

    /// Code to call after a type check. If the check is mispredicted to pass, the code is at
    /// address zero, where nothing can be executed: code of another type would take numbers for
    /// addresses.
    fn guarded_code(&mut self, wrong: Option<Value>, code: Value) -> Value {
        match wrong {
            Some(wrong) if self.plan.spectre_guards => {
                spectre::zero_if(&mut self.builder, wrong, code)
            }
            _ => code,
        }
    }

    /// Calls the function in an entry of a table.
    fn call_entry(&mut self, ty: TypeIndex, signature: SigRef, table: TableIndex, index: Value) {
        let module = self.plan.module;
        let entry = self.table_entry(table, index, TrapCode::UndefinedElement);
        let flags = self.flags(self.table_region(table));
        let found = self.builder.ins().load(types::I64, flags, entry, FuncRef::TYPE);
        let digest = self.builder.ins().iconst(types::I64, module.digests[ty.index()] as i64);
        let wrong = self.builder.ins().icmp(IntCC::NotEqual, found, digest);
        self.cold(wrong, |t| {
            let wide = t.widen(index);
            t.wrong_type(found, wide);
        });
        let code = self.builder.ins().load(types::I64, flags, entry, FuncRef::CODE);
        let ctx = self.builder.ins().load(types::I64, flags, entry, FuncRef::CTX);
        let code = self.guarded_code(Some(wrong), code);
        self.call_address(&module.types[ty.index()], signature, code, ctx);
    }

    /// Traps because an element is null, whose type is zero, or has another type than the call.
    fn wrong_type(&mut self, found: Value, index: Value) {
        self.builder.ins().trapnz(found, trap_code(TrapCode::IndirectCallTypeMismatch));
        let operand = self.builder.ins().iadd_imm_s(index, 1);
        let flags = self.flags(AliasClass::TrapOperand);
        self.builder.ins().store(flags, operand, self.ctx, TRAP_OPERAND);
        self.builder.ins().trap(trap_code(TrapCode::UninitializedElement));
    }

    /// Calls a builtin with arguments after the context.
    pub(super) fn builtin(&mut self, builtin: Builtin, args: &[Value]) -> Option<Value> {
        // Keys of builtins' signatures are above the indices of types.
        let signature = match self.signatures.get(&(!0 - builtin as u32)) {
            Some(&signature) => signature,
            None => {
                let signature = crate::link::stubs::builtin_signature(builtin);
                let signature = self.builder.import_signature(signature);
                self.signatures.insert(!0 - builtin as u32, signature);
                signature
            }
        };
        let callee = self.code(self.plan.ids.builtin(builtin), signature);
        let mut all = std::mem::take(self.args);
        all.clear();
        all.push(self.ctx);
        all.extend_from_slice(args);
        let call = self.builder.ins().call(callee, &all);
        *self.args = all;
        self.builder.inst_results(call).first().copied()
    }

    fn call_address(&mut self, ty: &FuncType, signature: SigRef, code: Value, ctx: Value) {
        let args = self.call_args(ctx, ty);
        let call = self.builder.ins().call_indirect(signature, code, &args);
        self.call_results(call, args);
    }

    /// Pops the arguments of a call and puts `ctx` before them. [`Self::call_results`] takes the
    /// buffer back.
    fn call_args(&mut self, ctx: Value, ty: &FuncType) -> Vec<Value> {
        let mut args = std::mem::take(self.args);
        let first = self.stack.len() - ty.params().len();
        args.clear();
        args.push(ctx);
        args.extend(self.stack.drain(first..));
        args
    }

    fn call_results(&mut self, call: ir::Inst, args: Vec<Value>) {
        *self.args = args;
        self.stack.extend_from_slice(self.builder.inst_results(call));
    }

    fn type_signature(&mut self, ty: TypeIndex, func_type: &FuncType) -> SigRef {
        self.signature(ty.0, func_type)
    }

    /// A reference to code of this module.
    fn code(&mut self, id: FuncId, signature: SigRef) -> ir::FuncRef {
        if let Some(&func) = self.funcs.get(&id.as_u32()) {
            return func;
        }
        let name = ir::UserExternalName::new(0, id.as_u32());
        let name = self.builder.func.declare_imported_user_function(name);
        let func = self.builder.import_function(ir::ExtFuncData {
            name: ir::ExternalName::user(name),
            signature,
            colocated: true,
            patchable: false,
        });
        self.funcs.insert(id.as_u32(), func);
        func
    }

    /// The address of a data object of this module.
    fn data_address(&mut self, id: DataId) -> Value {
        let name = ir::UserExternalName::new(1, id.as_u32());
        let name = self.builder.func.declare_imported_user_function(name);
        let symbol = self.builder.create_global_value(ir::GlobalValueData::Symbol {
            name: ir::ExternalName::user(name),
            offset: 0.into(),
            colocated: true,
            tls: false,
        });
        self.builder.ins().symbol_value(types::I64, symbol)
    }
}
