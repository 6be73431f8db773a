//! Reset: an instance has the state again that instantiation gave it.

use super::build::make_table;
use super::state::ModuleInstance;
use crate::error::{Error, ErrorKind};
use crate::vm::instance::context::TableDef;
use precast_abi::artifact::{NONE, Section, TableDesc};
use precast_abi::vmctx;

impl ModuleInstance {
    /// Gives the instance the state that it had before its start function ran. What it imports stays as
    /// it is, except that active segments are written to imported memories and tables again.
    ///
    /// # Errors
    ///
    /// When the system refuses, or a segment is out of bounds. Then the instance has no consistent
    /// state.
    pub(in crate::vm) fn reset(&mut self) -> Result<(), Error> {
        if !self.usage.is_touched() {
            return Ok(());
        }
        for memory in &mut self.own_memories {
            let what = "resetting a memory";
            memory.reset().map_err(|error| ErrorKind::System { what, error })?;
        }
        // SAFETY: invariant **context**; no code of the instance runs.
        unsafe {
            self.ctx.write(vmctx::TRAP_OPERAND, 0u64);
            self.write_globals();
        }
        self.reset_tables()?;
        self.run_segments()
    }

    fn reset_tables(&mut self) -> Result<(), Error> {
        let module = self.module.clone();
        let descs: &[TableDesc] = module.records(Section::Tables);
        let own = &descs[module.info().table_imports as usize..];
        self.usage.tables_are_filled = false;
        for (n, desc) in own.iter().filter(|desc| desc.slot != NONE).enumerate() {
            if !self.own_tables[n].reset(desc.min) {
                let def = self.ctx.field::<TableDef>(self.regions().table(desc.slot));
                // It has grown. Other instances point at the table, so it stays where it is.
                // SAFETY: the field is this table's definition.
                *self.own_tables[n] = unsafe { make_table(def, desc)? };
            }
            self.fill_table(n, desc);
        }
        Ok(())
    }
}
