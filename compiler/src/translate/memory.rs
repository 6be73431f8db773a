//! Linear memories: loads, stores and sizes.

use super::alias::AliasClass;
use super::{FuncTranslator, HeapAccess};
use crate::plan::MemoryPlace;
use crate::spectre;
use crate::types::trap_code;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Type, Value, types};
use precast_abi::builtin::Builtin;
use precast_abi::index::MemoryIndex;
use precast_abi::limits::{MEMORY_GUARD, MEMORY32_SPAN, WASM_PAGE};
use precast_abi::trap::TrapCode;
use precast_abi::vmctx::{MEMORY0_BASE, MEMORY0_OFFSET, MemoryDef, MemorySlot};
use wasmparser::{MemArg, MemArgTarget};

/// Pops the index of an access, see [`access_at`].
pub(super) fn access(t: &mut FuncTranslator<'_, '_>, memarg: &MemArg, bytes: u32) -> HeapAccess {
    let MemArgTarget::Memory(memory) = memarg.target else {
        unreachable!("the validator knows no arrays");
    };
    let index = t.pop();
    access_at(t, MemoryIndex(memory), index, memarg.offset, bytes)
}

/// Ensures that an access of `bytes` bytes at `index + offset` traps out of bounds: by a fault if there is
/// a guard above the memory that it cannot reach past, else by a check.
///
/// An access that faults needs no guard against speculation: the sum of a base, a 32-bit index and
/// an offset below the guard's size is always inside the memory's reservation.
pub(super) fn access_at(
    t: &mut FuncTranslator<'_, '_>,
    memory: MemoryIndex,
    index: Value,
    offset: u64,
    bytes: u32,
) -> HeapAccess {
    let (base, start) = t.memory_base(memory);
    let mut flags = t.memory_access_flags(memory);
    let end = offset + u64::from(bytes);
    t.always_traps = end > MEMORY32_SPAN;
    let guarded = !t.plan.explicit_bounds;
    let min = t.plan.module.memories[memory.index()].limits.min * WASM_PAGE;
    if let Some(index) = t.constant(index)
        && index + end <= MEMORY_GUARD
        && (guarded || index + end <= min)
    {
        // The index needs no register. The access cannot trap if it is below the memory's minimum
        // size.
        if index + end <= min {
            flags.set_notrap();
        }
        return HeapAccess { addr: base, offset: start + (index + offset) as i32, flags };
    }
    let wide = t.widen(index);
    if guarded && end <= MEMORY_GUARD {
        let addr = t.builder.ins().iadd(base, wide);
        return HeapAccess { addr, offset: start + offset as i32, flags };
    }
    let last = t.builder.ins().iadd_imm_s(wide, end as i64);
    let len = t.memory_len(memory);
    let outside = t.builder.ins().icmp(IntCC::UnsignedGreaterThan, last, len);
    t.builder.ins().trapnz(outside, trap_code(TrapCode::MemoryOutOfBounds));
    let addr = t.builder.ins().iadd(base, wide);
    let mut addr = t.builder.ins().iadd_imm_s(addr, offset as i64);
    if t.plan.spectre_guards {
        addr = spectre::zero_if(&mut t.builder, outside, addr);
    }
    if !guarded {
        // The check has passed.
        flags.set_notrap();
    }
    HeapAccess { addr, offset: start, flags }
}

impl FuncTranslator<'_, '_> {
    /// Flags of an access to a memory that faults out of bounds.
    pub(super) fn memory_access_flags(&mut self, memory: MemoryIndex) -> MemFlagsData {
        let region = match self.plan.memory(memory) {
            MemoryPlace::Imported(_) => AliasClass::ImportedMemories,
            _ => AliasClass::Memory(memory.0),
        };
        self.memory_flags(region)
    }

    /// The address to which indices of a memory are added, and an offset from it.
    ///
    /// The context is memory 0's base, but it is live in the whole function, and the register
    /// allocator spills such a value in loops that need registers. So loops load the base, which is
    /// hoisted out of them and stays in a register. A function that dispatches is usually one loop,
    /// where the copy would only add register pressure.
    pub(super) fn memory_base(&mut self, memory: MemoryIndex) -> (Value, i32) {
        let ctx = self.ctx;
        let at = match self.plan.memory(memory) {
            MemoryPlace::Context if self.base_in_loops && self.control.in_loop() => MEMORY0_BASE,
            MemoryPlace::Context => return (ctx, MEMORY0_OFFSET),
            MemoryPlace::Own(def) => def + MemoryDef::BASE,
            MemoryPlace::Imported(slot) => slot + MemorySlot::BASE,
        };
        let flags = self.constant_flags();
        (self.builder.ins().load(types::I64, flags, ctx, at), 0)
    }

    /// The length of a memory in bytes.
    fn memory_len(&mut self, memory: MemoryIndex) -> Value {
        let limits = &self.plan.module.memories[memory.index()].limits;
        if limits.max == Some(limits.min) {
            return self.builder.ins().iconst(types::I64, (limits.min * WASM_PAGE) as i64);
        }
        let (def, at) = match self.plan.memory(memory) {
            MemoryPlace::Context => (self.ctx, precast_abi::vmctx::MEMORY0),
            MemoryPlace::Own(def) => (self.ctx, def),
            MemoryPlace::Imported(slot) => {
                let flags = self.constant_flags();
                let at = slot + MemorySlot::DEF;
                (self.builder.ins().load(types::I64, flags, self.ctx, at), 0)
            }
        };
        let flags = self.flags(AliasClass::Definitions);
        self.builder.ins().load(types::I64, flags, def, at + MemoryDef::LEN)
    }

    pub(super) fn load(&mut self, memarg: &MemArg, ty: Type) {
        let HeapAccess { addr, offset, flags } = self.heap_access(memarg, ty.bytes());
        let value = self.builder.ins().load(ty, flags, addr, offset);
        self.push(value);
    }

    pub(super) fn load_extend(&mut self, memarg: &MemArg, narrow: Type, ty: Type, signed: bool) {
        let HeapAccess { addr, offset, flags } = self.heap_access(memarg, narrow.bytes());
        let ins = self.builder.ins();
        // One instruction each: on x86-64 a narrow load and an extension are two.
        let value = match (narrow, signed) {
            (types::I8, false) => ins.uload8(ty, flags, addr, offset),
            (types::I8, true) => ins.sload8(ty, flags, addr, offset),
            (types::I16, false) => ins.uload16(ty, flags, addr, offset),
            (types::I16, true) => ins.sload16(ty, flags, addr, offset),
            (_, false) => ins.uload32(flags, addr, offset),
            (_, true) => ins.sload32(flags, addr, offset),
        };
        self.push(value);
    }

    pub(super) fn store(&mut self, memarg: &MemArg) {
        let value = self.pop();
        self.store_value(memarg, value);
    }

    /// Stores all bytes of `value` or none at the index on the stack.
    pub(super) fn store_value(&mut self, memarg: &MemArg, value: Value) {
        let bytes = self.builder.func.dfg.value_type(value).bytes();
        let access = self.heap_access(memarg, bytes);
        self.probe_store(&access, bytes, bytes);
        let HeapAccess { addr, offset, flags } = access;
        self.builder.ins().store(flags, value, addr, offset);
    }

    /// If a store of `part` bytes may write some of them and then fault, first loads the last of
    /// `len` bytes, which traps if it is out of bounds.
    pub(super) fn probe_store(&mut self, access: &HeapAccess, len: u32, part: u32) {
        if part > self.plan.widest_whole_store && access.flags.trap_code().is_some() {
            let last = access.offset + len as i32 - 1;
            self.builder.ins().uload8(types::I32, access.flags, access.addr, last);
        }
    }

    pub(super) fn store_narrow(&mut self, memarg: &MemArg, bytes: u32) {
        let value = self.pop();
        let HeapAccess { addr, offset, flags } = self.heap_access(memarg, bytes);
        let ins = self.builder.ins();
        match bytes {
            1 => ins.istore8(flags, value, addr, offset),
            2 => ins.istore16(flags, value, addr, offset),
            _ => ins.istore32(flags, value, addr, offset),
        };
    }

    pub(super) fn memory_size(&mut self, memory: u32) {
        let bytes = self.memory_len(MemoryIndex(memory));
        let pages = self.builder.ins().ushr_imm_u(bytes, i64::from(WASM_PAGE.trailing_zeros()));
        let pages = self.builder.ins().ireduce(types::I32, pages);
        self.push(pages);
    }

    pub(super) fn memory_grow(&mut self, memory: u32) {
        let delta = self.pop();
        if self.constant(delta) == Some(0) {
            return self.memory_size(memory);
        }
        let (memory, delta) = (self.index(memory), self.widen(delta));
        let size = self.builtin(Builtin::MemoryGrow, &[memory, delta]);
        let size = size.expect("it has a result");
        let size = self.builder.ins().ireduce(types::I32, size);
        self.push(size);
    }

    /// An index of the module as a constant.
    pub(super) fn index(&mut self, index: u32) -> Value {
        self.builder.ins().iconst(types::I32, i64::from(index))
    }

    /// An index or a length of WebAssembly in 64 bits.
    pub(super) fn widen(&mut self, value: Value) -> Value {
        self.builder.ins().uextend(types::I64, value)
    }
}
