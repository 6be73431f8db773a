//! Alias classes: which accesses to memory can alias. Accesses of different classes never do.
//!
//! Invariant: no address is in two classes. All imports of one kind share a class, since a module
//! can import one memory under two indices.

use super::FuncTranslator;
use cranelift_codegen::ir::{AliasRegion, AliasRegionData, Endianness, MemFlagsData, TrapCode};

/// A set of addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum AliasClass {
    /// Memory that is written before the first instruction runs, and never again.
    Constant,
    /// The operand of a trap.
    TrapOperand,
    /// The stack limit, which the host may change during a call.
    StackLimit,
    /// The fuel that is left.
    Fuel,
    /// The bytes of a memory that the module defines.
    Memory(u32),
    /// The bytes of imported memories.
    ImportedMemories,
    /// Lengths of memories; lengths and addresses of tables.
    Definitions,
    /// The entries of a table that the module defines.
    Table(u32),
    /// The entries of imported tables.
    ImportedTables,
    /// A global that the module defines.
    Global(u32),
    /// Imported globals.
    ImportedGlobals,
}

/// Number of globals with a class of their own; Cranelift allows 65,534 kinds of access per
/// function.
const MAX_GLOBAL_REGIONS: u32 = 8192;

impl AliasClass {
    /// The number of the class, unique in the module.
    fn id(self) -> u32 {
        let (kind, index) = match self {
            AliasClass::Constant => (0, 0),
            AliasClass::TrapOperand => (1, 0),
            AliasClass::ImportedMemories => (2, 0),
            AliasClass::Definitions => (3, 0),
            AliasClass::ImportedTables => (4, 0),
            AliasClass::ImportedGlobals => (5, 0),
            AliasClass::StackLimit => (9, 0),
            AliasClass::Fuel => (10, 0),
            AliasClass::Memory(index) => (6, index),
            AliasClass::Table(index) => (7, index),
            AliasClass::Global(index) => (8, index.min(MAX_GLOBAL_REGIONS)),
        };
        kind << 24 | index
    }

    fn description(self) -> String {
        match self {
            AliasClass::Memory(index) => format!("memory {index}"),
            AliasClass::Table(index) => format!("table {index}"),
            AliasClass::Global(index) if index < MAX_GLOBAL_REGIONS => format!("global {index}"),
            AliasClass::Global(_) => "globals".into(),
            AliasClass::Constant => "constant".into(),
            AliasClass::TrapOperand => "trap operand".into(),
            AliasClass::StackLimit => "stack limit".into(),
            AliasClass::Fuel => "fuel".into(),
            AliasClass::ImportedMemories => "imported memories".into(),
            AliasClass::Definitions => "definitions".into(),
            AliasClass::ImportedTables => "imported tables".into(),
            AliasClass::ImportedGlobals => "imported globals".into(),
        }
    }
}

impl FuncTranslator<'_, '_> {
    fn region(&mut self, region: AliasClass) -> AliasRegion {
        let regions = &mut self.builder.func.dfg.alias_regions;
        let user_id = region.id();
        regions.get(user_id).unwrap_or_else(|| {
            let description = region.description().into();
            regions.insert(AliasRegionData { user_id, description })
        })
    }

    /// Flags of an access to a linear memory by WebAssembly, which traps out of bounds.
    pub(super) fn memory_flags(&mut self, region: AliasClass) -> MemFlagsData {
        let flags = MemFlagsData::new().with_endianness(Endianness::Little);
        let flags = flags.with_trap_code(Some(TrapCode::HEAP_OUT_OF_BOUNDS));
        flags.with_alias_region(Some(self.region(region)))
    }

    /// Flags of an access to mutable data of the runtime, which cannot trap.
    pub(super) fn flags(&mut self, region: AliasClass) -> MemFlagsData {
        MemFlagsData::new().with_notrap().with_alias_region(Some(self.region(region)))
    }

    /// Flags of a load of data that never changes and exists as long as the context.
    pub(super) fn constant_flags(&mut self) -> MemFlagsData {
        self.flags(AliasClass::Constant).with_readonly().with_can_move()
    }
}
