//! Tables that exist at run time: accesses to their entries, and the operators that the runtime
//! executes.

use super::FuncTranslator;
use super::alias::AliasClass;
use crate::plan::TablePlace;
use crate::spectre;
use crate::types::trap_code;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};
use precast_abi::builtin::Builtin;
use precast_abi::index::TableIndex;
use precast_abi::trap::TrapCode;
use precast_abi::types::RefType;
use precast_abi::vmctx::{FuncRef, TableDef};

impl FuncTranslator<'_, '_> {
    /// The address of a table's definition, as a base and an offset.
    fn table_def(&mut self, table: TableIndex) -> (Value, i32) {
        match self.plan.table(table) {
            TablePlace::Own(at) => (self.ctx, at),
            TablePlace::Imported(at) => {
                let flags = self.constant_flags();
                (self.builder.ins().load(types::I64, flags, self.ctx, at), 0)
            }
            TablePlace::Constant(_) => unreachable!("a constant table has no definition"),
        }
    }

    /// The length of a table, in 64 bits.
    fn table_len(&mut self, table: TableIndex) -> Value {
        if let Some(len) = self.plan.fixed_table_len(table) {
            return self.builder.ins().iconst(types::I64, len as i64);
        }
        let (def, at) = self.table_def(table);
        let flags = self.flags(AliasClass::Definitions);
        self.builder.ins().load(types::I64, flags, def, at + TableDef::LEN)
    }

    /// The address of an entry, after a bounds check. It is null if the processor mispredicts the
    /// check.
    pub(super) fn table_entry(&mut self, table: TableIndex, index: Value, trap: TrapCode) -> Value {
        let wide = self.widen(index);
        let len = self.table_len(table);
        let outside = self.builder.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, wide, len);
        self.builder.ins().trapnz(outside, trap_code(trap));
        let (def, at) = self.table_def(table);
        let flags = match self.plan.fixed_table_len(table) {
            Some(_) => self.constant_flags(),
            None => self.flags(AliasClass::Definitions),
        };
        let base = self.builder.ins().load(types::I64, flags, def, at + TableDef::BASE);
        let shift = match self.plan.module.tables[table.index()].element {
            RefType::FUNCREF => FuncRef::SIZE.trailing_zeros(),
            _ => 3,
        };
        let distance = self.builder.ins().ishl_imm_u(wide, i64::from(shift));
        let entry = self.builder.ins().iadd(base, distance);
        match self.plan.spectre_guards {
            true => spectre::zero_if(&mut self.builder, outside, entry),
            false => entry,
        }
    }

    pub(super) fn table_region(&self, table: TableIndex) -> AliasClass {
        match self.plan.module.defined_table(table) {
            Some(_) => AliasClass::Table(table.0),
            None => AliasClass::ImportedTables,
        }
    }

    pub(super) fn table_get(&mut self, table: TableIndex) {
        let index = self.pop();
        let entry = self.table_entry(table, index, TrapCode::TableOutOfBounds);
        let offset = match self.plan.module.tables[table.index()].element {
            RefType::FUNCREF => FuncRef::REF,
            _ => 0,
        };
        let flags = self.flags(self.table_region(table));
        let value = self.builder.ins().load(types::I64, flags, entry, offset);
        self.push(value);
    }

    pub(super) fn table_set(&mut self, table: TableIndex) {
        let (index, value) = self.pop2();
        let entry = self.table_entry(table, index, TrapCode::TableOutOfBounds);
        let flags = self.flags(self.table_region(table));
        if self.plan.module.tables[table.index()].element != RefType::FUNCREF {
            self.builder.ins().store(flags, value, entry, 0);
            return;
        }
        // A call that is interrupted between the stores leaves an entry of no type, which traps when
        // it is called, rather than code and context of one function with the type of another.
        let no_type = self.builder.ins().iconst(types::I64, 0);
        self.builder.ins().store(flags, no_type, entry, FuncRef::TYPE);

        let null = self.builder.create_block();
        let copy = self.builder.create_block();
        let next = self.builder.create_block();
        self.builder.ins().brif(value, copy, &[], null, &[]);
        self.builder.seal_block(copy);
        self.builder.seal_block(null);

        self.builder.switch_to_block(copy);
        // The record of a reference never changes, but null has none.
        let record = self.flags(AliasClass::Constant).with_readonly();
        for half in [0, 16] {
            let part = self.builder.ins().load(types::I8X16, record, value, half);
            self.builder.ins().store(flags, part, entry, half);
        }
        self.builder.ins().jump(next, &[]);

        self.builder.switch_to_block(null);
        let constant = self.builder.func.dfg.constants.insert(vec![0; 16].into());
        let zeros = self.builder.ins().vconst(types::I8X16, constant);
        for half in [0, 16] {
            self.builder.ins().store(flags, zeros, entry, half);
        }
        self.builder.ins().jump(next, &[]);
        self.builder.seal_block(next);
        self.builder.switch_to_block(next);
    }

    pub(super) fn table_size(&mut self, table: TableIndex) {
        let len = self.table_len(table);
        let len = self.builder.ins().ireduce(types::I32, len);
        self.push(len);
    }

    pub(super) fn table_grow(&mut self, table: u32) {
        let (value, delta) = self.pop2();
        let (table, delta) = (self.index(table), self.widen(delta));
        let size = self.builtin(Builtin::TableGrow, &[table, delta, value]);
        let size = size.expect("it has a result");
        let size = self.builder.ins().ireduce(types::I32, size);
        self.push(size);
    }

    pub(super) fn table_fill(&mut self, table: u32) {
        let (start, value, len) = self.pop3();
        let (table, start, len) = (self.index(table), self.widen(start), self.widen(len));
        self.builtin(Builtin::TableFill, &[table, start, value, len]);
    }

    pub(super) fn table_copy(&mut self, dst: u32, src: u32) {
        let (to, from, len) = self.pop3();
        let (dst, src) = (self.index(dst), self.index(src));
        let (to, from, len) = (self.widen(to), self.widen(from), self.widen(len));
        self.builtin(Builtin::TableCopy, &[dst, src, to, from, len]);
    }

    pub(super) fn table_init(&mut self, table: u32, elem: u32) {
        let (to, from, len) = self.pop3();
        let (table, elem, to) = (self.index(table), self.index(elem), self.widen(to));
        self.builtin(Builtin::TableInit, &[table, elem, to, from, len]);
    }

    pub(super) fn elem_drop(&mut self, elem: u32) {
        let elem = self.index(elem);
        self.builtin(Builtin::ElemDrop, &[elem]);
    }
}
