//! Compilation through a cache: maps an entry, or compiles the module and publishes an entry.

use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::module::{self, CompiledModule};
use crate::runtime::Runtime;
use crate::seal::{self, SealError, SealKey};
use crate::vm::code::{CodeError, CodeMemory};
use precast_cache::{Cache, Content, Damage, Entry, FileStamp, Fingerprint, Functions, Key};
use precast_compiler::{BundleBytes, FunctionStore, Lineage};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use zerocopy::IntoBytes;

/// The file from which a module was read, with its stamp at that time.
#[derive(Clone, Copy, Debug)]
pub struct Source(FileStamp);

impl Source {
    /// The source of a module in an open file. It must be made before the file is read.
    ///
    /// To find out whether a process could change the file without changing its stamp, this takes a
    /// lease on the file (fcntl(2), `F_SETLEASE`) and releases it at once. A process that opens the
    /// file for writing in the meantime waits for some microseconds, and this process receives a
    /// `SIGURG`, which does nothing by default.
    ///
    /// # Errors
    ///
    /// Those of fstat(2).
    pub fn of(file: &File) -> io::Result<Source> {
        FileStamp::before_reading(file, crate::vm::sys::is_unwritten).map(Source)
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// Those of opening and reading the file.
    pub fn read(path: &Path) -> io::Result<(Source, Vec<u8>)> {
        let mut file = File::open(path)?;
        let source = Source::of(&file)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok((source, bytes))
    }
}

/// The fingerprint of everything that decides code besides the module.
pub(crate) fn fingerprint(config: &Config) -> Fingerprint {
    let settings = config.settings(Default::default());
    let settings = precast_compiler::fingerprint(&settings, &crate::vm::sys::features());
    // It includes the demands of the loader, which may differ for one build of the compiler.
    Fingerprint::new(precast_compiler::BUILD, &format!("{settings} {:?}", module::producer()))
}

/// The module of a file, if the cache knows the file and has an entry for it.
pub(crate) fn known(runtime: &Runtime, cache: &Cache, path: &Path) -> Option<CompiledModule> {
    let key = cache.known_path(path, &runtime.fingerprint())?;
    find(runtime, cache, &key).ok()?
}

/// Maps a sealed artifact to which nobody else can write. The seal is checked unless the index
/// knows the file with this stamp.
pub(crate) fn map_sealed(
    file: File,
    key: &SealKey,
    index: Option<&Cache>,
) -> Result<Box<CodeMemory>, CodeError> {
    let stamp = FileStamp::of(&file)?;
    let how = Fingerprint::new("precast seals", "");
    let entry = seal::read_tag(&file)?.map(|tag| Key::new(&how, Content::of(&tag)));
    let entry = entry.ok_or(CodeError::Seal(SealError::Missing))?;
    let proven = index.is_some_and(|index| index.known(&stamp, &how) == Some(entry));
    let Some(index) = index.filter(|_| !proven) else {
        return match proven {
            true => CodeMemory::map(file, false, seal::unchecked_len, module::producer()),
            false => CodeMemory::map(file, true, |b| key.artifact_len(b), module::producer()),
        };
    };
    let stamp = FileStamp::before_reading(&file, crate::vm::sys::is_unwritten)?;
    let code = CodeMemory::map(file, true, |b| key.artifact_len(b), module::producer())?;
    index.remember(&stamp, &how, &entry);
    Ok(code)
}

/// The module in a file: from the cache if it knows the file, or else compiled.
pub(crate) fn compile_file(
    runtime: &Runtime,
    cache: &Cache,
    path: &Path,
) -> Result<CompiledModule, Error> {
    let in_file = |error| ErrorKind::File { path: path.to_owned(), error };
    let mut file = File::open(path).map_err(in_file)?;
    let stamp = FileStamp::of(&file).map_err(in_file)?;
    let mut refused = None;
    if let Some(key) = cache.known(&stamp, &runtime.fingerprint()) {
        match find(runtime, cache, &key) {
            Ok(Some(module)) => return Ok(module),
            Ok(None) => {}
            Err(Damage) => refused = Some(key),
        }
    }
    let source = Source::of(&file).map_err(in_file)?;
    let mut wasm = Vec::new();
    file.read_to_end(&mut wasm).map_err(in_file)?;
    compile_source(runtime, cache, &source, &wasm, refused)
}

/// Compiles the module of a source through the cache, which then knows the file. `refused` is the
/// key of an entry that was just found to be damaged.
pub(crate) fn compile_source(
    runtime: &Runtime,
    cache: &Cache,
    source: &Source,
    wasm: &[u8],
    refused: Option<Key>,
) -> Result<CompiledModule, Error> {
    let key = Key::new(&runtime.fingerprint(), Content::of(wasm));
    let found = if refused == Some(key) { Err(Damage) } else { find(runtime, cache, &key) };
    let module = find_or_make(runtime, cache, &key, found, || runtime.precompile(wasm))?;
    cache.remember(&source.0, &runtime.fingerprint(), &key);
    Ok(module)
}

/// Takes the module from the cache, or compiles and publishes it.
pub(crate) fn compile(
    runtime: &Runtime,
    cache: &Cache,
    wasm: &[u8],
) -> Result<CompiledModule, Error> {
    let key = Key::new(&runtime.fingerprint(), Content::of(wasm));
    find_or_make(runtime, cache, &key, find(runtime, cache, &key), || runtime.precompile(wasm))
}

/// A snapshot of an instance of a module, from the cache, or made by `make` and published. `label` tells
/// snapshots of one module apart.
pub(crate) fn snapshot(
    module: &CompiledModule,
    cache: &Cache,
    label: &str,
    make: impl FnOnce() -> Result<CompiledModule, Error>,
) -> Result<CompiledModule, Error> {
    let runtime = module.runtime();
    // The artifact of the module has the code of the snapshot, and names its compiler.
    let how = Fingerprint::new("precast snapshots", label);
    let key = Key::new(&how, Content::of(module.bytes()));
    let artifact = || Ok(make()?.serialize().to_vec());
    find_or_make(runtime, cache, &key, find(runtime, cache, &key), artifact)
}

/// Returns the module that was found, or else makes an artifact and publishes it.
fn find_or_make(
    runtime: &Runtime,
    cache: &Cache,
    key: &Key,
    found: Result<Option<CompiledModule>, Damage>,
    make: impl FnOnce() -> Result<Vec<u8>, Error>,
) -> Result<CompiledModule, Error> {
    if let Ok(Some(module)) = found {
        return Ok(module);
    }
    let flight = cache.flight(key);
    // Another process may have published an entry meanwhile, or replaced a damaged one.
    if (found.is_ok() || flight.waited())
        && let Ok(Some(module)) = find(runtime, cache, key)
    {
        return Ok(module);
    }
    let artifact = make()?;
    let published = cache.publish(key, &artifact);
    let mapped = published.and_then(|(mut entry, file)| map(runtime, &mut entry, file).ok());
    let module = match mapped {
        Some(module) => module,
        None => runtime.load_own(&artifact)?,
    };
    drop(flight);
    Ok(module)
}

/// The module of an entry, if it is there.
fn find(runtime: &Runtime, cache: &Cache, key: &Key) -> Result<Option<CompiledModule>, Damage> {
    let Some((mut entry, file)) = cache.find(key)? else { return Ok(None) };
    // If the entry is copied, the module keeps only the copy.
    let original = if entry.is_exposed() { file.try_clone().ok() } else { None };
    match map(runtime, &mut entry, file) {
        Ok(module) => {
            entry.accept(original.as_ref().unwrap_or(module.code_module().code().file()));
            module.set_entry(cache, key);
            Ok(Some(module))
        }
        Err(Unusable::Damaged) => {
            entry.refuse();
            Err(Damage)
        }
        Err(Unusable::System) => Ok(None),
    }
}

/// The store for the code of single functions: the runtime's cache, if it has one.
pub(crate) fn functions(runtime: &Runtime) -> Option<Arc<dyn FunctionStore>> {
    let cache = runtime.config().cache.as_ref()?;
    Some(Arc::new(Bundles(cache.functions(&runtime.fingerprint()))))
}

/// The bundles of a cache, as a store for the compiler.
struct Bundles(Functions);

/// Smaller bundles are not kept: compiling these functions takes less time than writing a file.
const SMALLEST_BUNDLE: usize = 16 << 10;

/// The largest bundle that is read although it may have nothing in common with the module. Reading
/// it must not take longer than compiling.
const LARGEST_GUESS: u64 = 4 << 20;

impl FunctionStore for Bundles {
    fn find(&self, lineage: &Lineage) -> Vec<BundleBytes> {
        let bundle = self.0.find(&lineage.0).or_else(|| self.0.latest(LARGEST_GUESS));
        bundle.map(|bytes| Arc::new(bytes) as BundleBytes).into_iter().collect()
    }

    fn keep(&self, lineage: &Lineage, bundle: Vec<u8>) {
        if bundle.len() >= SMALLEST_BUNDLE {
            self.0.keep(&lineage.0, &bundle);
        }
    }
}

/// The reason why an entry is not used.
enum Unusable {
    /// It is damaged.
    Damaged,
    /// The system cannot map it.
    System,
}

fn map(runtime: &Runtime, entry: &mut Entry, file: File) -> Result<CompiledModule, Unusable> {
    let _span = tracing::debug_span!("load", cached = true).entered();
    let failed = |error| match error {
        CodeError::Io(_) => Unusable::System,
        CodeError::Format(_) | CodeError::Seal(_) => Unusable::Damaged,
    };
    let expect = module::producer();
    let small = entry.take_small();
    // Checked before any of its code runs.
    let check = |bytes: &[u8]| entry.check(bytes).map_err(|_| Unusable::Damaged);
    let code = if let Some(words) = small {
        check(words.as_bytes().get(..entry.size() as usize).unwrap_or_default())?;
        CodeMemory::map_read(words, entry.size(), file, expect).map_err(failed)?
    } else {
        let code = if entry.is_exposed() {
            let bytes = entry.read(&file).map_err(|_| Unusable::System)?;
            CodeMemory::copy(&bytes, false, seal::unchecked_len, expect)
        } else {
            CodeMemory::map_start(file, entry.size(), entry.reads_all(), expect)
        };
        let code = code.map_err(failed)?;
        check(code.bytes())?;
        code
    };
    CompiledModule::new(runtime.clone(), code).map_err(|_| Unusable::Damaged)
}
