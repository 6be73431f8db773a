//! Globals.

use super::FuncTranslator;
use super::alias::AliasClass;
use crate::types::clif_type;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value, immediates, types};
use precast_abi::index::GlobalIndex;
use precast_abi::types::ValType;

impl FuncTranslator<'_, '_> {
    pub(super) fn global_get(&mut self, index: GlobalIndex) {
        let module = self.plan.module;
        let global = &module.globals[index.index()];
        if !global.ty.mutable
            && module.defined_global(index).is_some()
            && let Some(bits) = global.init.constant()
        {
            let value = self.value_of_bits(global.ty.value, bits);
            return self.push(value);
        }
        let (addr, offset, flags) = self.global_place(index);
        let flags = if global.ty.mutable { flags } else { self.constant_flags() };
        let value = self.builder.ins().load(clif_type(global.ty.value), flags, addr, offset);
        self.push(value);
    }

    pub(super) fn global_set(&mut self, index: GlobalIndex) {
        let value = self.pop();
        let (addr, offset, flags) = self.global_place(index);
        self.builder.ins().store(flags, value, addr, offset);
    }

    fn global_place(&mut self, index: GlobalIndex) -> (Value, i32, MemFlagsData) {
        let offset = self.plan.global_offsets[index.index()];
        if self.plan.module.defined_global(index).is_some() {
            return (self.ctx, offset, self.flags(AliasClass::Global(index.0)));
        }
        let flags = self.constant_flags();
        let addr = self.builder.ins().load(types::I64, flags, self.ctx, offset);
        (addr, 0, self.flags(AliasClass::ImportedGlobals))
    }

    fn value_of_bits(&mut self, ty: ValType, bits: u128) -> Value {
        let ins = self.builder.ins();
        match ty {
            ValType::I32 => ins.iconst(types::I32, bits as i64),
            ValType::F32 => ins.f32const(immediates::Ieee32::with_bits(bits as u32)),
            ValType::F64 => ins.f64const(immediates::Ieee64::with_bits(bits as u64)),
            ValType::V128 => {
                let bytes = bits.to_le_bytes().to_vec().into();
                let constant = self.builder.func.dfg.constants.insert(bytes);
                self.builder.ins().vconst(types::I8X16, constant)
            }
            _ => ins.iconst(types::I64, bits as i64),
        }
    }
}
