//! The imports and exports of an artifact, with their types.

use precast_abi::artifact::{
    Artifact, ExportDesc, GlobalDesc, ImportDesc, Kind, MemoryDesc, Section, TableDesc,
};
use precast_abi::types::{ExternType, MemoryType};

/// An import of a module.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImportType {
    /// The module from which it is imported.
    pub module: String,
    /// Its name in that module.
    pub name: String,
    /// The type it must have.
    pub ty: ExternType,
}

/// An export of a module.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExportType {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: ExternType,
}

/// Reads imports and exports from the records of a checked artifact.
#[derive(Clone, Copy)]
pub(crate) struct Interface<'a> {
    pub(crate) artifact: &'a Artifact,
    pub(crate) bytes: &'a [u8],
}

impl Interface<'_> {
    /// The imports, in the module's order.
    pub(crate) fn imports(self) -> Vec<ImportType> {
        let imports: &[ImportDesc] = self.artifact.records(self.bytes, Section::Imports);
        let describe = |import: &ImportDesc| ImportType {
            module: self.artifact.string(self.bytes, import.module).to_owned(),
            name: self.artifact.string(self.bytes, import.name).to_owned(),
            ty: self.import_type(import),
        };
        imports.iter().map(describe).collect()
    }

    pub(crate) fn exports(self) -> Vec<ExportType> {
        let exports: &[ExportDesc] = self.artifact.records(self.bytes, Section::Exports);
        let describe = |export: &ExportDesc| ExportType {
            name: self.artifact.string(self.bytes, export.name).to_owned(),
            ty: self.export_type(export),
        };
        exports.iter().map(describe).collect()
    }

    pub(crate) fn import_type(self, import: &ImportDesc) -> ExternType {
        self.extern_type(import.kind, import.index, import.index)
    }

    pub(crate) fn export_type(self, export: &ExportDesc) -> ExternType {
        self.extern_type(export.kind, export.ty, export.index)
    }

    /// `ty` is the index of a function's type, `index` that of any other entity.
    fn extern_type(self, kind: u32, ty: u32, index: u32) -> ExternType {
        let Interface { artifact, bytes } = self;
        let index = index as usize;
        match Kind::from_raw(kind).expect("a checked artifact") {
            Kind::Func => ExternType::Func(artifact.func_type(bytes, ty)),
            Kind::Table => {
                let tables: &[TableDesc] = artifact.records(bytes, Section::Tables);
                ExternType::Table(tables[index].table_type())
            }
            Kind::Memory => {
                let memories: &[MemoryDesc] = artifact.records(bytes, Section::Memories);
                ExternType::Memory(MemoryType::new(memories[index].limits()))
            }
            Kind::Global => {
                let globals: &[GlobalDesc] = artifact.records(bytes, Section::Globals);
                ExternType::Global(globals[index].global_type())
            }
        }
    }
}
