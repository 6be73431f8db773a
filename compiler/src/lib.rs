//! precast's compiler: WebAssembly bytes to artifact bytes, through Cranelift.
//!
//! The compiler does no I/O and knows nothing of the runtime; both meet in [`precast_abi`].

#![forbid(unsafe_code)]
#![deny(missing_docs)]
// Errors of cranelift-module are large, and rare.
#![allow(clippy::result_large_err)]

mod artifact_module;
mod code;
mod dispatch;
mod emit;
mod emitter;
mod error;
mod function;
mod ids;
mod image;
mod link;
mod module;
mod parse;
mod plan;
mod scan;
mod settings;
mod stubs;
mod target;
pub mod thunk;
mod translate;
mod types;

pub use error::{CompileError, ErrorKind};
pub use settings::{Features, Progress, Settings};
pub use target::{Target, TargetError, host_features, identity, isa};

/// Compiles a module to the bytes of an artifact. The same bytes and settings give the same
/// artifact, byte for byte.
///
/// # Errors
///
/// When the module is not valid, uses what is not supported, or exceeds a limit.
pub fn compile(wasm: &[u8], settings: &Settings) -> Result<Vec<u8>, CompileError> {
    with_threads(settings, || {
        let isa = isa(settings)?;
        let module = parse::parse(wasm, settings.features.for_validator())?;
        let scan = scan::scan(&module);
        let plan = plan::Plan::new(&module, &scan, &*isa)?;
        let functions = function::compile_all(&plan, &*isa, settings)?;
        let linked = link::link(&plan, isa.clone(), functions)?;
        let image = image::Image::new(&module, target::page_size(&*isa));
        Ok(emit::artifact(&plan, image, linked, &*isa, settings, wasm))
    })
}

/// The intermediate code of every function a module defines, before any optimisation.
///
/// # Errors
///
/// As [`compile`].
pub fn clif(wasm: &[u8], settings: &Settings) -> Result<String, CompileError> {
    let isa = isa(settings)?;
    let module = parse::parse(wasm, settings.features.for_validator())?;
    let scan = scan::scan(&module);
    let plan = plan::Plan::new(&module, &scan, &*isa)?;
    function::clif(&plan, &*isa)
}

/// Runs `work` on as many threads as the settings say.
fn with_threads<T: Send>(
    settings: &Settings,
    work: impl FnOnce() -> Result<T, CompileError> + Send,
) -> Result<T, CompileError> {
    if settings.threads == 0 {
        return work();
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(settings.threads).build();
    pool.map_err(CompileError::internal)?.install(work)
}
