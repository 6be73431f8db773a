//! Host thunks made at run time, for host functions that machine code reaches without an
//! artifact's thunk: those whose signature is known at run time only, and those in tables.
//!
//! Thunks live as long as the process: there is one per signature and kind, and it is small.

use super::registry::{self, CodeRange, Fault};
use crate::error::{Error, ErrorKind};
use crate::types::TypeRef;
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{Module, ModuleError, default_libcall_names};
use precast_abi::artifact::HandlerDesc;
use precast_abi::trap::TrapCode;
use precast_compiler::thunk::{self, Emitter, Host};
use std::collections::HashMap;
use std::io;
use std::sync::{Mutex, OnceLock};

struct Jit {
    module: JITModule,
    emitter: Emitter,
    /// Addresses of thunks by type identity and whether they pass an array.
    thunks: HashMap<(u64, bool), usize>,
}

/// A thunk's one trap: too little stack for the host.
struct Thunk {
    traps: Vec<u32>,
}

impl CodeRange for Thunk {
    fn handler(&self, _ret: u32) -> Option<HandlerDesc> {
        None
    }

    fn trap(&self, offset: u32, _fault: Fault) -> Option<TrapCode> {
        self.traps.contains(&offset).then_some(TrapCode::StackOverflow)
    }
}

/// The host thunk for functions of a type, for use with a host record. One for a dynamic
/// function passes an array.
pub(super) fn host_thunk(ty: TypeRef, dynamic: bool) -> Result<*const u8, Error> {
    static JIT: OnceLock<Mutex<Option<Jit>>> = OnceLock::new();
    let mut jit = JIT.get_or_init(Default::default).lock().unwrap_or_else(|e| e.into_inner());
    let failed = |error: Box<ModuleError>| {
        let error = io::Error::other(error.to_string());
        Error::from(ErrorKind::System { what: "making a host thunk", error })
    };
    if jit.is_none() {
        *jit = Some(Jit::new().map_err(failed)?);
    }
    match &mut *jit {
        Some(jit) => jit.thunk(ty, dynamic).map_err(failed),
        None => unreachable!("it was just made"),
    }
}

impl Jit {
    fn new() -> Result<Self, Box<ModuleError>> {
        // The settings of artifacts: thunks must keep frame pointers and agree on conventions.
        let isa = precast_compiler::isa(&precast_compiler::Settings::default())
            .map_err(|error| Box::new(ModuleError::Backend(error.into())))?;
        let module = JITModule::new(JITBuilder::with_isa(isa, default_libcall_names()));
        Ok(Jit { module, emitter: Emitter::new(), thunks: HashMap::new() })
    }

    fn thunk(&mut self, ty: TypeRef, dynamic: bool) -> Result<*const u8, Box<ModuleError>> {
        if let Some(&known) = self.thunks.get(&(ty.identity, dynamic)) {
            return Ok(known as *const u8);
        }
        let id = self.module.declare_anonymous_function(&thunk::host_signature(&ty.ty))?;
        let (emitter, module) = (&mut self.emitter, &mut self.module);
        match dynamic {
            true => thunk::emit_host_array(emitter, module, id, &ty.ty, Host::Record)?,
            false => thunk::emit_host_typed(emitter, module, id, &ty.ty, Host::Record)?,
        }
        let (len, traps) = self.emitter.compiled().map_or((0, Vec::new()), |code| {
            let traps = code.buffer.traps().iter().map(|trap| trap.offset).collect();
            (code.code_buffer().len(), traps)
        });
        self.module.finalize_definitions()?;
        let code = self.module.get_finalized_function(id);
        let thunk: &'static Thunk = Box::leak(Box::new(Thunk { traps }));
        // SAFETY: the thunk's description is leaked, as its code is.
        unsafe { registry::register(code as usize, len, thunk) };
        self.thunks.insert((ty.identity, dynamic), code as usize);
        Ok(code)
    }
}
