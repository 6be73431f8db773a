//! precast's compiler: WebAssembly bytes to artifact bytes, through Cranelift.
//!
//! The compiler does no I/O and knows nothing of the runtime; both meet in [`precast_abi`].

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
mod symbols;
mod target;
mod translate;
mod types;

pub use error::{CompileError, ErrorKind};
pub use features::{Features, UnknownFeature};
pub use incremental::{BundleBytes, FunctionStore, Lineage, MemoryStore};
pub use link::thunk;
pub use settings::{Progress, Settings, fingerprint};
pub use symbols::Symbol;
pub use target::{Target, TargetError, host_features, isa, producer};

/// Compiles a module to the bytes of an artifact. The same bytes and settings give the same
/// artifact, byte for byte.
///
/// # Errors
///
/// When the module is not valid, uses what is not supported, or exceeds a limit.
pub fn compile(wasm: &[u8], settings: &Settings) -> Result<Vec<u8>, CompileError> {
    compile_with(wasm, settings, None).map(|done| done.artifact)
}

/// What [`compile_with`] made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Compilation {
    /// The artifact's bytes.
    pub artifact: Vec<u8>,
    /// Functions the module defines.
    pub functions: usize,
    /// How many of them had their code kept from earlier.
    pub found: usize,
}

/// As [`compile`], but takes the code of functions that did not change from `store`, and keeps
/// there what it compiled. Every function is validated, and the artifact is the one [`compile`]
/// would make, byte for byte.
///
/// # Errors
///
/// As [`compile`].
pub fn compile_with(
    wasm: &[u8],
    settings: &Settings,
    store: Option<&dyn FunctionStore>,
) -> Result<Compilation, CompileError> {
    with_threads(settings, || {
        let isa = isa(settings)?;
        let module = parse::parse(wasm, settings.features.for_validator())?;
        let scan = parse::scan::scan(&module);
        scan.values.check(wasm.len())?;
        let plan = plan::Plan::new(&module, &scan, &*isa)?;
        let reuse = store.map(|store| incremental::Reuse::new(&plan, &*isa, store));
        let done = function::compile_all(&plan, &*isa, settings, reuse.as_ref())?;
        let found = done.iter().filter(|done| done.found).count();
        if let (Some(store), Some(reuse)) = (store, &reuse) {
            reuse.keep(store, &done);
        }
        let functions = done.into_iter().map(|done| done.function).collect();
        let linked = link::link(&plan, isa.clone(), functions)?;
        let image = artifact::image::Image::new(&module, target::page_size(&*isa));
        let artifact = artifact::build(&plan, image, linked, &*isa, settings, wasm);
        Ok(Compilation { artifact, functions: module.bodies.len(), found })
    })
}

/// What tells builds of this compiler apart: its version, that of its code generator, and a hash
/// of its sources.
pub const BUILD: &str =
    concat!("precast ", env!("CARGO_PKG_VERSION"), " ", env!("PRECAST_SOURCES"));

/// The intermediate code of every function a module defines, before any optimisation.
///
/// # Errors
///
/// As [`compile`].
pub fn clif(wasm: &[u8], settings: &Settings) -> Result<String, CompileError> {
    let isa = isa(settings)?;
    let module = parse::parse(wasm, settings.features.for_validator())?;
    let scan = parse::scan::scan(&module);
    scan.values.check(wasm.len())?;
    let plan = plan::Plan::new(&module, &scan, &*isa)?;
    function::clif(&plan, &*isa)
}

/// The names and places of everything that has code in the artifact that [`compile`] makes, in the
/// order of its text.
///
/// # Errors
///
/// As [`compile`].
pub fn symbols(wasm: &[u8], settings: &Settings) -> Result<Vec<Symbol>, CompileError> {
    with_threads(settings, || {
        let isa = isa(settings)?;
        let module = parse::parse(wasm, settings.features.for_validator())?;
        let scan = parse::scan::scan(&module);
        scan.values.check(wasm.len())?;
        let plan = plan::Plan::new(&module, &scan, &*isa)?;
        let done = function::compile_all(&plan, &*isa, settings, None)?;
        let functions = done.into_iter().map(|done| done.function).collect();
        let linked = link::link(&plan, isa.clone(), functions)?;
        Ok(symbols::symbols(&plan, &linked))
    })
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
