//! Tables that exist at run time: `table.get`, `table.set` and the operators the runtime does.

use super::FuncTranslator;
use super::regions::Region;
use crate::plan::TablePlace;
use crate::spectre;
use crate::types::trap_code;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};
use precast_abi::builtin::Builtin;
use precast_abi::index::TableIndex;
use precast_abi::trap::TrapCode;
use precast_abi::types::ValType;
use precast_abi::vmctx::{FuncRef, TableDef};
use wasmparser::Operator;

/// Translates an operator of this group.
pub(super) fn translate(t: &mut FuncTranslator<'_, '_>, op: &Operator<'_>) -> bool {
    match *op {
        Operator::TableGet { table } => t.table_get(TableIndex(table)),
        Operator::TableSet { table } => t.table_set(TableIndex(table)),
        Operator::TableSize { table } => {
            let len = t.table_len(TableIndex(table));
            let len = t.builder.ins().ireduce(types::I32, len);
            t.push(len);
        }
        Operator::TableGrow { table } => {
            let (value, delta) = t.pop2();
            let (table, delta) = (t.index(table), t.widen(delta));
            let size = t.builtin(Builtin::TableGrow, &[table, delta, value]);
            let size = size.expect("it has a result");
            let size = t.builder.ins().ireduce(types::I32, size);
            t.push(size);
        }
        Operator::TableFill { table } => {
            let (start, value, len) = t.pop3();
            let (table, start, len) = (t.index(table), t.widen(start), t.widen(len));
            t.builtin(Builtin::TableFill, &[table, start, value, len]);
        }
        Operator::TableCopy { dst_table, src_table } => {
            let (to, from, len) = t.pop3();
            let (dst, src) = (t.index(dst_table), t.index(src_table));
            let (to, from, len) = (t.widen(to), t.widen(from), t.widen(len));
            t.builtin(Builtin::TableCopy, &[dst, src, to, from, len]);
        }
        Operator::TableInit { elem_index, table } => {
            let (to, from, len) = t.pop3();
            let (table, elem, to) = (t.index(table), t.index(elem_index), t.widen(to));
            t.builtin(Builtin::TableInit, &[table, elem, to, from, len]);
        }
        Operator::ElemDrop { elem_index } => {
            let elem = t.index(elem_index);
            t.builtin(Builtin::ElemDrop, &[elem]);
        }
        _ => return false,
    }
    true
}

impl FuncTranslator<'_, '_> {
    /// The address of a table's definition, as a base and an offset.
    fn table_def(&mut self, table: TableIndex) -> (Value, i32) {
        match self.plan.table(table) {
            TablePlace::Own(at) => (self.ctx, at),
            TablePlace::Imported(at) => {
                let flags = self.constant_flags();
                (self.builder.ins().load(types::I64, flags, self.ctx, at), 0)
            }
            TablePlace::Static(_) => unreachable!("a static table has no definition"),
        }
    }

    /// The length of a table, in 64 bits.
    fn table_len(&mut self, table: TableIndex) -> Value {
        if let Some(len) = self.plan.fixed_table_len(table) {
            return self.builder.ins().iconst(types::I64, len as i64);
        }
        let (def, at) = self.table_def(table);
        let flags = self.flags(Region::Definitions);
        self.builder.ins().load(types::I64, flags, def, at + TableDef::LEN)
    }

    /// The address of an entry, after a check that there is one. Where a processor predicts that
    /// check wrongly, it is null.
    pub(super) fn table_entry(&mut self, table: TableIndex, index: Value, trap: TrapCode) -> Value {
        let wide = self.widen(index);
        let len = self.table_len(table);
        let outside = self.builder.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, wide, len);
        self.builder.ins().trapnz(outside, trap_code(trap));
        let (def, at) = self.table_def(table);
        let flags = match self.plan.fixed_table_len(table) {
            Some(_) => self.constant_flags(),
            None => self.flags(Region::Definitions),
        };
        let base = self.builder.ins().load(types::I64, flags, def, at + TableDef::BASE);
        let shift = match self.plan.module.tables[table.index()].element {
            ValType::FuncRef => FuncRef::SIZE.trailing_zeros(),
            _ => 3,
        };
        let distance = self.builder.ins().ishl_imm_u(wide, i64::from(shift));
        let entry = self.builder.ins().iadd(base, distance);
        match self.plan.spectre_guards {
            true => spectre::zero_if(&mut self.builder, outside, entry),
            false => entry,
        }
    }

    pub(super) fn table_region(&self, table: TableIndex) -> Region {
        match self.plan.module.defined_table(table) {
            Some(_) => Region::Table(table.0),
            None => Region::ImportedTables,
        }
    }

    fn table_get(&mut self, table: TableIndex) {
        let index = self.pop();
        let entry = self.table_entry(table, index, TrapCode::TableOutOfBounds);
        let offset = match self.plan.module.tables[table.index()].element {
            ValType::FuncRef => FuncRef::REF,
            _ => 0,
        };
        let flags = self.flags(self.table_region(table));
        let value = self.builder.ins().load(types::I64, flags, entry, offset);
        self.push(value);
    }

    fn table_set(&mut self, table: TableIndex) {
        let (index, value) = self.pop2();
        let entry = self.table_entry(table, index, TrapCode::TableOutOfBounds);
        let flags = self.flags(self.table_region(table));
        if self.plan.module.tables[table.index()].element != ValType::FuncRef {
            self.builder.ins().store(flags, value, entry, 0);
            return;
        }
        let null = self.builder.create_block();
        let copy = self.builder.create_block();
        let next = self.builder.create_block();
        self.builder.ins().brif(value, copy, &[], null, &[]);
        self.builder.seal_block(copy);
        self.builder.seal_block(null);

        self.builder.switch_to_block(copy);
        // The record of a reference never changes, but behind null there is none.
        let record = self.flags(Region::Constant).with_readonly();
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
}
