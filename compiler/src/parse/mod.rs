//! The parser: bytes to a [`Module`]. It reads and validates every section but the function bodies.

pub(crate) mod module;
pub(crate) mod scan;
mod value_count;

use crate::error::{CompileError, ErrorKind};
use module::*;
use precast_abi::artifact::Kind;
use precast_abi::index::{FuncIndex, GlobalIndex, MemoryIndex, TableIndex, TypeIndex};
use precast_abi::types::{FuncType, GlobalType, Limits, MemoryType, TableType, ValType};
use std::collections::HashMap;
use wasmparser::{
    DataKind, ElementItems, ElementKind, Encoding, ExternalKind, KnownCustom, Name, Operator,
    Parser, Payload, TypeRef, ValidPayload, Validator, WasmFeatures,
};

/// Parses a module.
pub(crate) fn parse(wasm: &[u8], features: WasmFeatures) -> Result<Module<'_>, CompileError> {
    if is_component(wasm) {
        let message = "this is a component, not a module";
        return Err(CompileError::new(ErrorKind::Unsupported, 0, message));
    }
    let mut module = Module { features, ..Module::default() };
    let mut validator = Validator::new_with_features(features);
    let mut parser = Parser::new(0);
    parser.set_features(features);
    for payload in parser.parse_all(wasm) {
        let payload = payload?;
        if let ValidPayload::Func(func, body) = validator.payload(&payload)? {
            module.resources.get_or_insert(func.resources);
            module.bodies.push(Body { body, ty: TypeIndex(func.ty) });
        }
        module.section(payload)?;
    }
    Ok(module)
}

/// Whether the bytes start like a component (layer 1 of the binary format).
fn is_component(wasm: &[u8]) -> bool {
    wasm.starts_with(b"\0asm") && wasm.get(6..8) == Some(&[1, 0])
}

/// The error for a construct that validation should have refused.
fn unsupported(what: &str, offset: u64) -> CompileError {
    CompileError::new(ErrorKind::Unsupported, offset as usize, format!("{what} is not supported"))
}

impl<'data> Module<'data> {
    /// Adds a validated section.
    fn section(&mut self, payload: Payload<'data>) -> Result<(), CompileError> {
        match payload {
            Payload::Version { encoding: Encoding::Component, range, .. } => {
                return Err(unsupported("a component", range.start));
            }
            Payload::TypeSection(reader) => self.type_section(reader)?,
            Payload::ImportSection(reader) => {
                for import in reader.into_imports_with_offsets() {
                    let (offset, import) = import?;
                    self.import(import, offset)?;
                }
            }
            Payload::FunctionSection(reader) => {
                for ty in reader {
                    self.funcs.push(TypeIndex(ty?));
                }
            }
            Payload::TableSection(reader) => {
                for table in reader.into_iter_with_offsets() {
                    let (offset, table) = table?;
                    self.tables.push(table_type(&table.ty, offset)?);
                }
            }
            Payload::MemorySection(reader) => {
                for memory in reader {
                    self.memories.push(memory_type(&memory?));
                }
            }
            Payload::GlobalSection(reader) => {
                for global in reader.into_iter_with_offsets() {
                    let (offset, global) = global?;
                    let ty = global_type(&global.ty, offset)?;
                    self.globals.push(Global { ty, init: const_expr(&global.init_expr)? });
                }
            }
            Payload::ExportSection(reader) => {
                for export in reader.into_iter_with_offsets() {
                    let (offset, export) = export?;
                    let kind = match export.kind {
                        ExternalKind::Func => Kind::Func,
                        ExternalKind::Table => Kind::Table,
                        ExternalKind::Memory => Kind::Memory,
                        ExternalKind::Global => Kind::Global,
                        _ => return Err(unsupported("an export of this kind", offset)),
                    };
                    self.exports.push(Export { name: export.name, kind, index: export.index });
                }
            }
            Payload::StartSection { func, .. } => self.start = Some(FuncIndex(func)),
            Payload::ElementSection(reader) => {
                for elem in reader {
                    self.elems.push(elem_segment(elem?)?);
                }
            }
            Payload::DataSection(reader) => {
                for data in reader {
                    let data = data?;
                    let mode = match data.kind {
                        DataKind::Passive => Mode::Passive,
                        DataKind::Active { memory_index, offset_expr } => Mode::Active {
                            target: MemoryIndex(memory_index),
                            offset: const_expr(&offset_expr)?,
                        },
                    };
                    self.data.push(Data { mode, bytes: data.data });
                }
            }
            Payload::CodeSectionStart { count, .. } => self.bodies.reserve(count as usize),
            Payload::CustomSection(reader) => match reader.as_known() {
                // A malformed custom section is ignored (specification 7.4).
                KnownCustom::Name(names) => self.names = read_names(names).unwrap_or_default(),
                KnownCustom::BranchHints(hints) => {
                    self.branch_hints = read_branch_hints(hints).unwrap_or_default();
                }
                _ => {}
            },
            _ => {}
        }
        Ok(())
    }

    fn type_section(
        &mut self,
        reader: wasmparser::TypeSectionReader<'data>,
    ) -> Result<(), CompileError> {
        let offset = reader.range().start;
        let mut first = HashMap::new();
        for ty in reader.into_iter_err_on_gc_types() {
            let ty = ty?;
            let values = |types: &[wasmparser::ValType]| -> Result<Vec<ValType>, CompileError> {
                let values = types.iter().map(|&ty| val_type(ty)).collect::<Option<_>>();
                values.ok_or_else(|| unsupported("a type", offset))
            };
            let ty = FuncType::new(values(ty.params())?, values(ty.results())?);
            let index = TypeIndex::from(self.types.len());
            let canonical = *first.entry(ty.clone()).or_insert(index);
            let known = self.digests.get(canonical.index()).copied();
            self.digests.push(known.unwrap_or_else(|| ty.digest()));
            self.canonical.push(canonical);
            self.types.push(ty);
        }
        Ok(())
    }

    fn import(
        &mut self,
        import: wasmparser::Import<'data>,
        offset: u64,
    ) -> Result<(), CompileError> {
        let (kind, index) = match import.ty {
            TypeRef::Func(ty) => {
                self.funcs.push(TypeIndex(ty));
                self.func_imports += 1;
                (Kind::Func, ty)
            }
            TypeRef::Table(ty) => {
                self.tables.push(table_type(&ty, offset)?);
                self.table_imports += 1;
                (Kind::Table, self.table_imports - 1)
            }
            TypeRef::Memory(ty) => {
                self.memories.push(memory_type(&ty));
                self.memory_imports += 1;
                (Kind::Memory, self.memory_imports - 1)
            }
            TypeRef::Global(ty) => {
                let ty = global_type(&ty, offset)?;
                self.globals.push(Global { ty, init: ConstExpr::default() });
                self.global_imports += 1;
                (Kind::Global, self.global_imports - 1)
            }
            _ => return Err(unsupported("an import of this kind", offset)),
        };
        self.imports.push(Import { module: import.module, name: import.name, kind, index });
        Ok(())
    }
}

fn table_type(ty: &wasmparser::TableType, offset: u64) -> Result<TableType, CompileError> {
    let element = val_type(wasmparser::ValType::Ref(ty.element_type));
    let element = element.and_then(ValType::ref_type);
    let element = element.ok_or_else(|| unsupported("a table of this type", offset))?;
    Ok(TableType::new(element, Limits::new(ty.initial, ty.maximum)))
}

fn memory_type(ty: &wasmparser::MemoryType) -> MemoryType {
    MemoryType::new(Limits::new(ty.initial, ty.maximum))
}

fn global_type(ty: &wasmparser::GlobalType, offset: u64) -> Result<GlobalType, CompileError> {
    let value = val_type(ty.content_type).ok_or_else(|| unsupported("a global", offset))?;
    Ok(GlobalType::new(value, ty.mutable))
}

fn const_expr(expr: &wasmparser::ConstExpr<'_>) -> Result<ConstExpr, CompileError> {
    let mut ops = Vec::new();
    for op in expr.get_operators_reader().into_iter_with_offsets() {
        let (op, offset) = op?;
        ops.push(match op {
            Operator::I32Const { value } => ConstOp::Const((value as u32).into()),
            Operator::I64Const { value } => ConstOp::Const((value as u64).into()),
            Operator::F32Const { value } => ConstOp::Const(value.bits().into()),
            Operator::F64Const { value } => ConstOp::Const(value.bits().into()),
            Operator::V128Const { value } => ConstOp::Const(u128::from_le_bytes(*value.bytes())),
            Operator::RefNull { .. } => ConstOp::Const(0),
            Operator::RefFunc { function_index } => ConstOp::RefFunc(FuncIndex(function_index)),
            Operator::GlobalGet { global_index } => ConstOp::GlobalGet(GlobalIndex(global_index)),
            Operator::I32Add => ConstOp::I32Add,
            Operator::I32Sub => ConstOp::I32Sub,
            Operator::I32Mul => ConstOp::I32Mul,
            Operator::I64Add => ConstOp::I64Add,
            Operator::I64Sub => ConstOp::I64Sub,
            Operator::I64Mul => ConstOp::I64Mul,
            Operator::End => break,
            _ => return Err(unsupported("this constant expression", offset)),
        });
    }
    Ok(ConstExpr { ops })
}

fn elem_segment(elem: wasmparser::Element<'_>) -> Result<Elem, CompileError> {
    let mode = match elem.kind {
        ElementKind::Passive => Mode::Passive,
        ElementKind::Declared => Mode::Declared,
        ElementKind::Active { table_index, offset_expr } => Mode::Active {
            target: TableIndex(table_index.unwrap_or(0)),
            offset: const_expr(&offset_expr)?,
        },
    };
    let mut items = Vec::new();
    match elem.items {
        ElementItems::Functions(funcs) => {
            items.reserve(funcs.count() as usize);
            for func in funcs {
                items.push(Item::Func(FuncIndex(func?)));
            }
        }
        ElementItems::Expressions(_, exprs) => {
            for expr in exprs.into_iter_with_offsets() {
                let (offset, expr) = expr?;
                items.push(match const_expr(&expr)?.ops[..] {
                    [ConstOp::Const(_)] => Item::Null,
                    [ConstOp::RefFunc(func)] => Item::Func(func),
                    [ConstOp::GlobalGet(global)] => Item::Global(global),
                    _ => return Err(unsupported("this element", offset)),
                });
            }
        }
    }
    Ok(Elem { mode, items })
}

fn read_names<'data>(
    reader: wasmparser::NameSectionReader<'data>,
) -> Result<Names<'data>, wasmparser::Error> {
    let mut names = Names::default();
    for subsection in reader {
        match subsection? {
            Name::Module { name, .. } => names.module = name,
            Name::Function(map) => {
                for naming in map {
                    let naming = naming?;
                    names.funcs.insert(naming.index, naming.name);
                }
            }
            _ => {}
        }
    }
    Ok(names)
}

fn read_branch_hints(
    reader: wasmparser::BranchHintSectionReader<'_>,
) -> Result<HashMap<FuncIndex, Vec<(u32, bool)>>, wasmparser::Error> {
    let mut all = HashMap::new();
    for function in reader {
        let function = function?;
        let mut hints = Vec::new();
        for hint in function.hints {
            let hint = hint?;
            hints.push((hint.func_offset, hint.taken));
        }
        hints.sort_unstable();
        all.insert(FuncIndex(function.func), hints);
    }
    Ok(all)
}
