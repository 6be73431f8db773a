//! The artifact as a [`Module`] of cranelift: collects definitions and links them. Functions are
//! laid out in the order of their numbers, which [`crate::plan::func_ids::FuncIds`] fixes, so there
//! are no declarations and no signatures.
//!
//! Invariant: linked text refers to text and read-only data by distance alone.

use crate::error::{CompileError, ErrorKind};
use crate::link::compiled::{self, CompiledFunction, Handler, RelocTarget};
use crate::target::page_size;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::isa::{OwnedTargetIsa, TargetIsa};
use cranelift_codegen::{Context, ir};
use cranelift_module::{
    DataDescription, DataId, FuncId, Init, Linkage, Module, ModuleDeclarations, ModuleError,
    ModuleReloc, ModuleResult,
};
use precast_abi::artifact::{NONE, Writer};
use std::collections::{BTreeMap, BTreeSet};

/// Collects code and data for one artifact.
pub(crate) struct ArtifactModule<'f> {
    isa: OwnedTargetIsa,
    /// Always empty; the trait requires it.
    declarations: ModuleDeclarations,
    funcs: Vec<Option<CompiledFunction<'f>>>,
    objects: BTreeMap<u32, Object>,
    /// Functions and data objects that relocations refer to.
    referenced_funcs: BTreeSet<u32>,
    referenced_objects: BTreeSet<u32>,
}

/// A data object: bytes, and the offsets in them that receive the distance of a function from the
/// start of the object.
struct Object {
    bytes: Box<[u8]>,
    align: usize,
    funcs: Vec<(u32, u32)>,
}

/// A linked module.
#[derive(Default)]
pub(crate) struct Linked {
    pub(crate) text: Vec<u8>,
    pub(crate) rodata: Vec<u8>,
    /// Per function number, the offset and length of its code; the offset is [`NONE`] if it has no
    /// code.
    pub(crate) places: Vec<(u32, u32)>,
    pub(crate) trap_offsets: Vec<u32>,
    pub(crate) trap_codes: Vec<u8>,
    pub(crate) trap_locations: Vec<u32>,
    pub(crate) calls: Vec<compiled::Call>,
    pub(crate) handlers: Vec<Handler>,
}

impl<'f> ArtifactModule<'f> {
    /// A module of `count` functions, none of which has code yet.
    pub(crate) fn new(isa: OwnedTargetIsa, count: u32) -> Self {
        let mut funcs = Vec::new();
        funcs.resize_with(count as usize, || None);
        ArtifactModule {
            isa,
            declarations: ModuleDeclarations::default(),
            funcs,
            objects: BTreeMap::new(),
            referenced_funcs: BTreeSet::new(),
            referenced_objects: BTreeSet::new(),
        }
    }

    /// Defines a function from its compiled code.
    pub(crate) fn define(
        &mut self,
        id: FuncId,
        function: CompiledFunction<'f>,
    ) -> ModuleResult<()> {
        for reloc in &function.relocs {
            match compiled::reloc_target(reloc) {
                Some(RelocTarget::Func(index)) => self.referenced_funcs.insert(index),
                Some(RelocTarget::Data(index)) => self.referenced_objects.insert(index),
                None => return Err(backend(format!("code needs {}", reloc.name))),
            };
        }
        match self.funcs.get_mut(id.as_u32() as usize) {
            Some(place @ None) => *place = Some(function),
            Some(Some(_)) => return Err(ModuleError::DuplicateDefinition(id.to_string())),
            None => return Err(backend(format!("{id} has no number"))),
        }
        Ok(())
    }

    /// Whether code or data refers to a function.
    pub(crate) fn refers_to_func(&self, id: FuncId) -> bool {
        self.referenced_funcs.contains(&id.as_u32())
    }

    /// Whether code refers to a data object.
    pub(crate) fn refers_to_data(&self, id: DataId) -> bool {
        self.referenced_objects.contains(&id.as_u32())
    }

    /// Lays everything out and resolves all references.
    pub(crate) fn link(self) -> Result<Linked, CompileError> {
        let ArtifactModule { isa, funcs, objects, .. } = self;
        let count = funcs.len();
        let mut labels = vec![usize::MAX; count];
        let defined = funcs.iter().enumerate().filter(|(_, func)| func.is_some());
        for (label, (index, _)) in defined.enumerate() {
            labels[index] = label;
        }
        let labeled = labels.iter().filter(|&&label| label != usize::MAX).count();
        let mut linked = Linked { places: vec![(NONE, 0); count], ..Linked::default() };
        let mut text = isa.text_section_builder(labeled);
        let mut patches = Vec::new();
        for (index, func) in funcs.into_iter().enumerate() {
            let Some(func) = func else { continue };
            let align = func.align.max(isa.function_alignment().preferred).max(16);
            let start = text.append(true, &func.code, align, &mut ControlPlane::default());
            let start = u32::try_from(start).ok().filter(|&s| i32::try_from(s).is_ok());
            let start = start.ok_or_else(too_large)?;
            linked.add(index, start, &func);
            for reloc in func.relocs {
                let at = start + reloc.offset;
                let target = compiled::reloc_target(&reloc).ok_or_else(undefined)?;
                let resolved = match target {
                    RelocTarget::Func(index) => {
                        let label = labels.get(index as usize).filter(|&&l| l != usize::MAX);
                        let label = *label.ok_or_else(undefined)?;
                        text.resolve_reloc(at.into(), reloc.kind, reloc.addend, label)
                    }
                    RelocTarget::Data(_) => false,
                };
                if !resolved {
                    patches.push((at, reloc.kind, target, reloc.addend));
                }
            }
        }
        linked.text = text.finish(&mut ControlPlane::default());
        drop(text);
        let distance = Writer::rodata_distance(linked.text.len(), page_size(&*isa));
        let starts = linked.lay_out(objects, distance)?;
        for (at, kind, target, addend) in patches {
            let target = match target {
                RelocTarget::Func(index) => i64::from(linked.places[index as usize].0),
                RelocTarget::Data(index) => *starts.get(&index).ok_or_else(undefined)? as i64,
            };
            compiled::patch(&mut linked.text, at as usize, kind, target, addend)
                .ok_or_else(too_large)?;
        }
        Ok(linked)
    }
}

impl Linked {
    /// The text offset of a function's code, or [`NONE`].
    pub(crate) fn code(&self, id: FuncId) -> u32 {
        self.places[id.as_u32() as usize].0
    }

    /// Adds the records of a function whose code starts at `start`.
    fn add(&mut self, index: usize, start: u32, func: &CompiledFunction<'_>) {
        self.places[index] = (start, func.code.len() as u32);
        let location = |wasm| if wasm == NONE { NONE } else { func.base + wasm };
        for trap in &func.traps {
            self.trap_offsets.push(start + trap.offset);
            self.trap_codes.push(trap.code);
            self.trap_locations.push(location(trap.wasm));
        }
        for call in &func.calls {
            self.calls.push(compiled::Call { ret: start + call.ret, wasm: location(call.wasm) });
        }
        for handler in &func.handlers {
            self.handlers.push(Handler {
                ret: start + handler.ret,
                handler: start + handler.handler,
                frame: handler.frame,
            });
        }
    }

    /// Lays out data objects at `distance` from the start of the text. Returns the distance of
    /// each.
    fn lay_out(
        &mut self,
        objects: BTreeMap<u32, Object>,
        distance: usize,
    ) -> Result<BTreeMap<u32, usize>, CompileError> {
        let mut starts = BTreeMap::new();
        for (index, object) in objects {
            let at = self.rodata.len().next_multiple_of(object.align);
            self.rodata.resize(at, 0);
            self.rodata.extend_from_slice(&object.bytes);
            let start = distance + at;
            for (offset, func) in object.funcs {
                let (code, _) = self.places[func as usize];
                if code == NONE {
                    return Err(undefined());
                }
                let value = i32::try_from(i64::from(code) - start as i64);
                let value = value.map_err(|_| too_large())?;
                let at = at + offset as usize;
                self.rodata[at..at + 4].copy_from_slice(&value.to_le_bytes());
            }
            starts.insert(index, start);
        }
        Ok(starts)
    }
}

fn undefined() -> CompileError {
    CompileError::internal("code refers to an undefined function or data object")
}

fn too_large() -> CompileError {
    CompileError::new(ErrorKind::Limit, 0, "its code exceeds 2 GiB")
}

fn undeclared() -> ModuleError {
    backend("declarations: the numbers of functions and data are fixed".into())
}

fn backend(message: String) -> ModuleError {
    ModuleError::Compilation(cranelift_codegen::CodegenError::Unsupported(message))
}

impl Module for ArtifactModule<'_> {
    fn isa(&self) -> &dyn TargetIsa {
        &*self.isa
    }

    fn declarations(&self) -> &ModuleDeclarations {
        &self.declarations
    }

    fn declare_function(&mut self, _: &str, _: Linkage, _: &ir::Signature) -> ModuleResult<FuncId> {
        Err(undeclared())
    }

    fn declare_anonymous_function(&mut self, _: &ir::Signature) -> ModuleResult<FuncId> {
        Err(undeclared())
    }

    fn declare_data(&mut self, _: &str, _: Linkage, _: bool, _: bool) -> ModuleResult<DataId> {
        Err(undeclared())
    }

    fn declare_anonymous_data(&mut self, _: bool, _: bool) -> ModuleResult<DataId> {
        Err(undeclared())
    }

    fn define_function_with_control_plane(
        &mut self,
        id: FuncId,
        context: &mut Context,
        control: &mut ControlPlane,
    ) -> ModuleResult<()> {
        let compiled = context.compile(&*self.isa, control);
        compiled.map_err(|error| ModuleError::Compilation(error.inner))?;
        let compiled = context.compiled_code().expect("it was just compiled");
        self.define(id, CompiledFunction::new(compiled, &context.func, id, 0))
    }

    fn define_function_bytes(
        &mut self,
        id: FuncId,
        align: u64,
        bytes: &[u8],
        relocs: &[ModuleReloc],
    ) -> ModuleResult<()> {
        let align = u32::try_from(align)
            .map_err(|_| backend("an alignment that does not fit in 32 bits".into()))?;
        self.define(id, CompiledFunction::from_bytes(bytes, align, relocs))
    }

    /// Defines a data object. A function address in it is the 32-bit distance of the function from
    /// the object's start; addresses of data and writable data are not supported.
    fn define_data(&mut self, id: DataId, data: &DataDescription) -> ModuleResult<()> {
        if !data.data_relocs.is_empty() {
            return Err(backend("addresses of data in data".into()));
        }
        let bytes = match &data.init {
            Init::Bytes { contents } => contents.clone(),
            init => vec![0; init.size()].into(),
        };
        let mut funcs = Vec::with_capacity(data.function_relocs.len());
        for &(offset, func) in &data.function_relocs {
            let func = FuncId::from_name(&data.function_decls[func]).as_u32();
            self.referenced_funcs.insert(func);
            funcs.push((offset, func));
        }
        let align = data.align.unwrap_or(16) as usize;
        let object = Object { bytes, align, funcs };
        match self.objects.insert(id.as_u32(), object) {
            None => Ok(()),
            Some(_) => Err(ModuleError::DuplicateDefinition(id.to_string())),
        }
    }
}
