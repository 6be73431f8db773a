//! Host thunks made at run time, for host functions that no artifact has a thunk for: those whose
//! signature is known at run time only, and those in tables.
//!
//! There is one per signature and kind. It belongs to the type, and is freed with it.

use crate::error::{Error, ErrorKind};
use crate::vm::code::registry::{self, CodeRange};
use crate::vm::sys::Fault;
use crate::vm::types::{Interned, TypeRef};
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{Module, ModuleError, default_libcall_names};
use precast_abi::artifact::HandlerDesc;
use precast_abi::trap::TrapCode;
use precast_compiler::thunk::{self, Emitter, HostContext};
use std::io;
use std::sync::{Mutex, OnceLock};

/// The thunks of a type, made when they are first needed. Boxed, as most types have none.
#[derive(Default, Debug)]
pub(crate) struct Thunks {
    /// For a function that takes values in the C convention.
    typed: OnceLock<Box<Thunk>>,
    /// For a function that takes values in an array.
    array: OnceLock<Box<Thunk>>,
}

/// A thunk and its code.
struct Thunk {
    /// Its address.
    code: usize,
    /// The description that is registered for it; boxed, so that its address stays.
    traps: Box<Traps>,
    /// The owner of the code, taken when dropped. The lock only makes it shareable between threads.
    module: Mutex<Option<JITModule>>,
}

impl std::fmt::Debug for Thunk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Thunk({:#x})", self.code)
    }
}

/// A thunk's one trap: too little stack for the host.
struct Traps(Vec<u32>);

impl CodeRange for Traps {
    fn handler(&self, _ret: u32) -> Option<HandlerDesc> {
        None
    }

    fn trap(&self, offset: u32, _fault: Fault) -> Option<TrapCode> {
        self.0.contains(&offset).then_some(TrapCode::StackOverflow)
    }
}

/// The code generator of all thunks.
struct Jit {
    isa: OwnedTargetIsa,
    emitter: Emitter,
}

/// The host thunk for functions of a type, for use with a host record. It lives as long as the type.
/// The thunk of a dynamic function passes an array.
pub(in crate::vm) fn host_thunk(ty: TypeRef, dynamic: bool) -> Result<*const u8, Error> {
    let place = if dynamic { &ty.thunks.array } else { &ty.thunks.typed };
    if let Some(thunk) = place.get() {
        return Ok(thunk.code as *const u8);
    }
    static JIT: Mutex<Option<Jit>> = Mutex::new(None);
    let mut jit = JIT.lock().unwrap_or_else(|e| e.into_inner());
    let failed = |error: Box<ModuleError>| {
        let error = io::Error::other(error.to_string());
        Error::from(ErrorKind::System { what: "making a host thunk", error })
    };
    let jit = match &mut *jit {
        Some(jit) => jit,
        none => none.insert(Jit::new().map_err(failed)?),
    };
    let thunk = match place.get() {
        // Another thread made it meanwhile.
        Some(thunk) => thunk,
        None => {
            let thunk = jit.thunk(&ty, dynamic).map_err(failed)?;
            place.get_or_init(|| Box::new(thunk))
        }
    };
    Ok(thunk.code as *const u8)
}

impl Jit {
    fn new() -> Result<Self, Box<ModuleError>> {
        // The settings of artifacts: thunks must keep frame pointers and agree on conventions.
        let isa = precast_compiler::isa(&precast_compiler::Settings::default())
            .map_err(|error| Box::new(ModuleError::Backend(error.into())))?;
        Ok(Jit { isa, emitter: Emitter::new() })
    }

    fn thunk(&mut self, ty: &Interned, dynamic: bool) -> Result<Thunk, Box<ModuleError>> {
        // A module of its own, as code is freed by the module.
        let builder = JITBuilder::with_isa(self.isa.clone(), default_libcall_names());
        let mut module = JITModule::new(builder);
        let made = self.emit(&mut module, ty, dynamic);
        let mut thunk =
            Thunk { code: 0, traps: Box::new(Traps(Vec::new())), module: Mutex::new(Some(module)) };
        // Dropping the thunk frees the code of one that failed, too.
        let (code, len, traps) = made?;
        *thunk.traps = Traps(traps);
        thunk.code = code as usize;
        // SAFETY: the description is boxed, and unregistered before it is freed.
        unsafe { registry::register(thunk.code, len, &*thunk.traps) };
        Ok(thunk)
    }

    /// Emits the code of a thunk; its address, its length, and where it traps.
    fn emit(
        &mut self,
        module: &mut JITModule,
        ty: &Interned,
        dynamic: bool,
    ) -> Result<(*const u8, usize, Vec<u32>), Box<ModuleError>> {
        let id = module.declare_anonymous_function(&thunk::host_signature(&ty.ty))?;
        match dynamic {
            true => thunk::emit_host_array(
                &mut self.emitter,
                module,
                id,
                &ty.ty,
                HostContext::HostRecord,
            )?,
            false => thunk::emit_host_typed(
                &mut self.emitter,
                module,
                id,
                &ty.ty,
                HostContext::HostRecord,
            )?,
        }
        let (len, traps) = self.emitter.compiled().map_or((0, Vec::new()), |code| {
            let traps = code.buffer.traps().iter().map(|trap| trap.offset).collect();
            (code.code_buffer().len(), traps)
        });
        module.finalize_definitions()?;
        Ok((module.get_finalized_function(id), len, traps))
    }
}

impl Drop for Thunk {
    fn drop(&mut self) {
        if self.code != 0 {
            registry::unregister(self.code);
        }
        let module = self.module.get_mut().unwrap_or_else(|e| e.into_inner()).take();
        if let Some(module) = module {
            // SAFETY: invariant **types**: a store in which the thunk can be called owns its type, so
            // no call is left when the type's last owner is gone.
            unsafe { module.free_memory() };
        }
    }
}
