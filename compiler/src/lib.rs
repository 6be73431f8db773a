//! precast's compiler: WebAssembly bytes to artifact bytes, through Cranelift.
//!
//! The compiler does no I/O and does not depend on the runtime; [`precast_abi`] is their interface.

#![forbid(unsafe_code)]
#![deny(missing_docs)]
// Errors of cranelift-module are large, and rare.
#![allow(clippy::result_large_err)]

mod artifact;
mod error;
mod features;
mod function;
mod incremental;
mod link;
mod parse;
mod plan;
mod settings;
mod spectre;
mod target;
mod translate;
mod types;

use cranelift_codegen::isa::OwnedTargetIsa;

pub use error::{CompileError, ErrorKind};
pub use features::{Features, UnknownFeature};
pub use incremental::{BundleBytes, FunctionStore, Lineage, MemoryStore};
pub use link::symbols::Symbol;
pub use link::thunk;
pub use settings::{Progress, Settings, fingerprint};
pub use target::{Target, TargetError, host_features, isa, producer};

/// Compiles a module to the bytes of an artifact. The same bytes and settings give the same
/// artifact, byte for byte.
///
/// # Errors
///
/// If the module is not valid, uses an unsupported feature, or exceeds a limit.
pub fn compile(wasm: &[u8], settings: &Settings) -> Result<Vec<u8>, CompileError> {
    compile_with(wasm, settings, None).map(|done| done.artifact)
}

/// The result of [`compile_with`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Compilation {
    /// The artifact's bytes.
    pub artifact: Vec<u8>,
    /// Number of functions that the module defines.
    pub functions: usize,
    /// Number of those whose code came from the store.
    pub found: usize,
}

/// As [`compile`], but takes the code of unchanged functions from `store`, and stores the code that
/// it compiles. It validates every function, and the artifact equals that of [`compile`], byte for
/// byte.
///
/// # Errors
///
/// As [`compile`].
pub fn compile_with(
    wasm: &[u8],
    settings: &Settings,
    store: Option<&dyn FunctionStore>,
) -> Result<Compilation, CompileError> {
    with_plan(wasm, settings, |plan, isa| {
        let reuse = store.map(|store| incremental::Reuse::new(plan, &**isa, store));
        let done = function::compile_all(plan, &**isa, settings, reuse.as_ref())?;
        let found = done.iter().filter(|done| done.found).count();
        if let (Some(store), Some(reuse)) = (store, &reuse) {
            reuse.keep(store, &done);
        }
        let functions = done.into_iter().map(|done| done.function).collect();
        let linked = link::link(plan, isa.clone(), functions)?;
        let image = artifact::image::Image::new(plan.module, target::page_size(&**isa));
        let artifact = artifact::build(plan, image, linked, &**isa, settings, wasm);
        if settings.verify {
            artifact::verify(&artifact, settings)?;
        }
        Ok(Compilation { artifact, functions: plan.module.bodies.len(), found })
    })
}

/// Distinguishes builds of this compiler: its version and a hash of its sources and dependencies.
pub const BUILD: &str =
    concat!("precast ", env!("CARGO_PKG_VERSION"), " ", env!("PRECAST_SOURCES"));

/// The intermediate code (CLIF) of every function that a module defines, before optimisation.
///
/// # Errors
///
/// As [`compile`].
pub fn clif(wasm: &[u8], settings: &Settings) -> Result<String, CompileError> {
    with_plan(wasm, settings, |plan, isa| function::clif(plan, &**isa))
}

/// The functions, stubs and thunks of the artifact that [`compile`] makes, in the order of its
/// text.
///
/// # Errors
///
/// As [`compile`].
pub fn symbols(wasm: &[u8], settings: &Settings) -> Result<Vec<Symbol>, CompileError> {
    with_plan(wasm, settings, |plan, isa| {
        let done = function::compile_all(plan, &**isa, settings, None)?;
        let functions = done.into_iter().map(|done| done.function).collect();
        let linked = link::link(plan, isa.clone(), functions)?;
        Ok(link::symbols::symbols(plan, &linked))
    })
}

/// Parses a module and plans its instances, then runs `work`, on the number of threads in the
/// settings.
fn with_plan<T: Send>(
    wasm: &[u8],
    settings: &Settings,
    work: impl FnOnce(&plan::Plan<'_>, &OwnedTargetIsa) -> Result<T, CompileError> + Send,
) -> Result<T, CompileError> {
    with_threads(settings, || {
        let isa = isa(settings)?;
        let module = parse::parse(wasm, settings.features.for_validator())?;
        let scan = parse::scan::scan(&module);
        scan.values.check(wasm.len())?;
        let plan = plan::Plan::new(&module, &scan, &*isa, settings)?;
        work(&plan, &isa)
    })
}

/// Runs `work` on the number of threads in the settings.
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
