//! What instantiation writes that is the same for all instances of a module at one address.

use super::module::Module;
use precast_abi::artifact::{
    ConstExpr, ConstOp, ConstOpcode, ElemDesc, ElemItem, ElemKind, FuncRefDesc, NONE, Section,
    SegmentMode, TableDesc,
};

/// Facts about a module's instances.
pub(in crate::vm) struct Fixed {
    /// Records of functions, from the first on, up to the last of an imported function. The records
    /// behind them depend on nothing but the address of the context.
    pub(in crate::vm) imported_refs: u32,
    /// Whether the tables, after instantiation, depend on nothing but the address of the context: no
    /// imports decide their elements.
    pub(in crate::vm) tables: bool,
}

impl Fixed {
    pub(super) fn of(module: &Module) -> Fixed {
        let refs: &[FuncRefDesc] = module.records(Section::FuncRefs);
        let imported = refs.iter().rposition(|desc| desc.code == NONE);
        let imported_refs = imported.map_or(0, |last| last as u32 + 1);
        Fixed { imported_refs, tables: has_fixed_tables(module, refs) }
    }
}

fn has_fixed_tables(module: &Module, refs: &[FuncRefDesc]) -> bool {
    let items: &[ElemItem] = module.records(Section::ElemItems);
    let ops: &[ConstOp] = module.records(Section::ConstOps);
    let tables: &[TableDesc] = module.records(Section::Tables);
    let elems: &[ElemDesc] = module.records(Section::Elems);
    let is_fixed = |kind: u32, index: u32| match ElemKind::from_raw(kind) {
        Some(ElemKind::Null) => true,
        Some(ElemKind::FuncRef) => refs.get(index as usize).is_some_and(|desc| desc.code != NONE),
        _ => false,
    };
    let is_constant = |expr: ConstExpr| {
        let op = ops.get(expr.first as usize).filter(|_| expr.count == 1);
        op.is_some_and(|op| op.op == ConstOpcode::Const as u64)
    };
    let own = module.info().table_imports;
    let active = elems.iter().filter(|elem| elem.mode == SegmentMode::Active as u32);
    tables.iter().skip(own as usize).all(|table| is_fixed(table.init_kind, table.init_index))
        && active.clone().all(|elem| elem.table >= own && is_constant(elem.offset))
        && active
            .flat_map(|elem| items.iter().skip(elem.first as usize).take(elem.count as usize))
            .all(|item| is_fixed(item.kind, item.index))
}
