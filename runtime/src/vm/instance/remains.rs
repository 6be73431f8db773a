//! Remains: what an instance leaves in its address space, for the next instance of its module there.
//!
//! The records of functions hold addresses: of code, which is the module's, and of the context, which
//! is the reservation's. Machine code never writes them. So they are right for every instance of the
//! module at this address, and so are the elements of tables that are copies of them.

use crate::vm::table::TableData;

/// Most bytes of tables that are kept.
const MAX_TABLES: usize = 256 << 10;

/// What an instance has left in its reservation.
///
/// Invariant **remains**: if `module` is not 0, the context of the reservation holds the records of all
/// functions that this module defines, and the definitions of `tables` are fields of this context.
#[derive(Default)]
pub(in crate::vm) struct Remains {
    /// The identity of the instance's module, or 0.
    module: u64,
    tables: Tables,
}

/// The tables of an instance.
#[derive(Default)]
pub(in crate::vm) struct Tables {
    /// The tables that the module defines and that exist at run time, or none.
    #[expect(clippy::vec_box, reason = "imports of other instances point at them")]
    pub(in crate::vm) tables: Vec<Box<TableData>>,
    /// Whether they hold what the instantiation of any instance writes to them.
    pub(in crate::vm) filled: bool,
}

impl Remains {
    /// The remains of an instance of a module.
    ///
    /// # Safety
    ///
    /// The invariant **remains** holds for the reservation with which this is kept.
    pub(in crate::vm) unsafe fn new(module: u64, tables: Tables) -> Remains {
        let bytes: usize = tables.tables.iter().map(|table| table.capacity_bytes()).sum();
        let tables = if bytes <= MAX_TABLES { tables } else { Tables::default() };
        Remains { module, tables }
    }

    /// Whether the records of functions are those of a module.
    pub(in crate::vm) fn are_of(&self, module: u64) -> bool {
        module != 0 && self.module == module
    }

    /// The tables, if they are those of a module.
    pub(in crate::vm) fn tables_of(self, module: u64) -> Tables {
        if self.are_of(module) { self.tables } else { Tables::default() }
    }
}
