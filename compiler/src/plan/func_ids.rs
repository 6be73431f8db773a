//! The numbers of functions, stubs and thunks, which are fixed before anything is compiled.
//!
//! ```text
//! defined functions | builtin stubs | trap stubs | forwarders | host thunks
//!     | typed entry thunks | array entry thunks
//! ```
//!
//! There is one forwarder per imported function, and one thunk of each kind per type.

use crate::parse::module::Module;
use cranelift_module::FuncId;
use precast_abi::builtin::Builtin;
use precast_abi::index::{FuncIndex, TypeIndex};

/// Number of stubs that trap: for a null element, for an element of another type, and for an index
/// beyond the table.
pub(crate) const TRAP_STUBS: u32 = 3;

/// The numbering of one module.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FuncIds {
    defined: u32,
    func_imports: u32,
    types: u32,
}

impl FuncIds {
    pub(crate) fn new(module: &Module<'_>) -> Self {
        FuncIds {
            defined: module.funcs.len() as u32 - module.func_imports,
            func_imports: module.func_imports,
            types: module.types.len() as u32,
        }
    }

    /// Number of all functions, stubs and thunks.
    pub(crate) fn count(&self) -> u32 {
        self.typed_base() + 2 * self.types
    }

    /// Number of defined functions; builtin stubs follow them.
    pub(crate) fn defined_count(&self) -> u32 {
        self.defined
    }

    /// The code of the `n`th defined function.
    pub(crate) fn defined(&self, n: u32) -> FuncId {
        FuncId::from_u32(n)
    }

    /// The code in dispatch tables for a function: its own, or the forwarder of an import.
    pub(crate) fn code(&self, module: &Module<'_>, func: FuncIndex) -> FuncId {
        module.defined(func).map_or_else(|| self.forwarder(func.0), |n| self.defined(n))
    }

    /// The stub that calls a builtin.
    pub(crate) fn builtin(&self, builtin: Builtin) -> FuncId {
        FuncId::from_u32(self.defined + builtin as u32)
    }

    /// The stub that traps for a null element.
    pub(crate) fn null_stub(&self) -> FuncId {
        FuncId::from_u32(self.null_base())
    }

    /// The stub that traps for an element of another type.
    pub(crate) fn mismatch_stub(&self) -> FuncId {
        FuncId::from_u32(self.null_base() + 1)
    }

    /// The stub that traps for an index beyond the table.
    pub(crate) fn undefined_stub(&self) -> FuncId {
        FuncId::from_u32(self.null_base() + 2)
    }

    /// The forwarder, which is passed the importer's context and jumps to the `n`th imported
    /// function.
    pub(crate) fn forwarder(&self, n: u32) -> FuncId {
        FuncId::from_u32(self.null_base() + TRAP_STUBS + n)
    }

    /// The host thunk of a canonical type.
    pub(crate) fn host_thunk(&self, ty: TypeIndex) -> FuncId {
        FuncId::from_u32(self.host_base() + ty.0)
    }

    /// The typed entry thunk of a canonical type.
    pub(crate) fn typed_entry(&self, ty: TypeIndex) -> FuncId {
        FuncId::from_u32(self.typed_base() + ty.0)
    }

    /// The array entry thunk of a canonical type.
    pub(crate) fn array_entry(&self, ty: TypeIndex) -> FuncId {
        FuncId::from_u32(self.typed_base() + self.types + ty.0)
    }

    fn null_base(&self) -> u32 {
        self.defined + Builtin::ALL.len() as u32
    }

    fn host_base(&self) -> u32 {
        self.null_base() + TRAP_STUBS + self.func_imports
    }

    fn typed_base(&self) -> u32 {
        self.host_base() + self.types
    }
}
