//! A WASI command, ready to run in either runtime.

use crate::bound::Bound;
use crate::clock::Clock;
use crate::{Result, guests};
use precast::wasi::{self, Captured, Wasi};
use std::path::{Path, PathBuf};
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

/// The start function of a command.
const START: &str = "_start";

/// A command and its environment.
#[derive(Clone)]
pub(crate) struct Command {
    /// The WebAssembly file.
    pub(crate) path: PathBuf,
    /// Its arguments, without its name.
    pub(crate) args: Vec<&'static str>,
    /// A folder of guests that it may read, as its root.
    pub(crate) root: Option<&'static str>,
}

/// The result of a run.
pub(crate) struct Run {
    /// The time of the run, from the call of its start function on.
    pub(crate) seconds: f64,
    /// Its standard output.
    pub(crate) stdout: Vec<u8>,
}

impl Command {
    /// A command without arguments.
    pub(crate) fn new(path: &Path) -> Self {
        Command { path: path.to_owned(), args: Vec::new(), root: None }
    }

    /// All arguments, beginning with its name.
    fn argv(&self) -> Vec<String> {
        let args = self.args.iter().map(|&arg| arg.to_owned());
        std::iter::once(guests::stem(&self.path)).chain(args).collect()
    }

    /// Compiles it for precast, and links it for any number of instances.
    pub(crate) fn for_precast(&self, runtime: &precast::Runtime) -> Result<PrecastCommand> {
        let module = runtime.compile(&guests::read(&self.path)?)?;
        let mut command = self.in_precast(module)?;
        let mut linker = precast::Linker::new(runtime);
        command.pre = Some(linker.host(&command.host)?.instantiate_pre(&command.module)?);
        Ok(command)
    }

    /// The command for a module that precast has compiled.
    pub(crate) fn in_precast(&self, module: precast::CompiledModule) -> Result<PrecastCommand> {
        let stdout = Captured::new();
        let mut builder = wasi::Builder::new().args(self.argv()).stdout(&stdout);
        if let Some(root) = self.root {
            builder = builder.read_only_dir(guests::path(root), "/");
        }
        let host = builder.compile(module.runtime())?;
        Ok(PrecastCommand { module, host, pre: None, stdout })
    }

    /// Compiles it for wasmtime.
    pub(crate) fn for_wasmtime(&self, engine: &wasmtime::Engine) -> Result<WasmtimeCommand> {
        let module = wasmtime::Module::new(engine, guests::read(&self.path)?)?;
        self.in_wasmtime(&wasi_linker(engine)?, &module)
    }

    /// The command for a module that wasmtime has compiled.
    pub(crate) fn in_wasmtime(
        &self,
        linker: &wasmtime::Linker<WasiP1Ctx>,
        module: &wasmtime::Module,
    ) -> Result<WasmtimeCommand> {
        let (command, pre) = (self.clone(), linker.instantiate_pre(module)?);
        Ok(WasmtimeCommand { command, pre })
    }
}

/// A linker with WASI.
pub(crate) fn wasi_linker(engine: &wasmtime::Engine) -> Result<wasmtime::Linker<WasiP1Ctx>> {
    let mut linker = wasmtime::Linker::new(engine);
    wasmtime_wasi::p1::add_to_linker_sync(&mut linker, |wasi: &mut WasiP1Ctx| wasi)?;
    Ok(linker)
}

/// A command in precast.
pub(crate) struct PrecastCommand {
    /// Its code.
    module: precast::CompiledModule,
    /// Its WASI; every instance has a separate state.
    host: precast::HostModule<Wasi>,
    /// Its resolved imports, if it is instantiated many times.
    pre: Option<precast::InstancePre>,
    /// Its output.
    stdout: Captured,
}

/// The start function of an instance in precast.
pub(crate) type PrecastStart = precast::TypedFunc<(), ()>;

impl PrecastCommand {
    /// An instance that has not run yet.
    pub(crate) fn instantiate(&self) -> Result<(Box<precast::Namespace>, PrecastStart)> {
        let (namespace, instance) = match &self.pre {
            Some(pre) => pre.instantiate()?,
            None => {
                let mut namespace = self.module.runtime().namespace();
                namespace.instantiate_host(&self.host)?;
                let instance = namespace.instantiate(&self.module)?;
                (namespace, instance)
            }
        };
        let start = instance.typed(&namespace, START)?;
        Ok((namespace, start))
    }

    /// Runs a new instance.
    pub(crate) fn run(&self, clock: Clock, bound: Bound) -> Result<Run> {
        let (mut namespace, start) = self.instantiate()?;
        let watch = clock.start();
        let outcome = bound.call(&start, &mut namespace);
        let seconds = watch.seconds();
        match outcome {
            Err(error) if error.exit_code() != Some(0) => Err(error.into()),
            _ => Ok(Run { seconds, stdout: self.stdout.take() }),
        }
    }
}

/// A command in wasmtime.
pub(crate) struct WasmtimeCommand {
    /// The WASI configuration of each instance.
    command: Command,
    /// Its code, linked.
    pre: wasmtime::InstancePre<WasiP1Ctx>,
}

/// An instance in wasmtime that has not run yet.
pub(crate) struct WasmtimeInstance {
    /// The store that owns it.
    store: wasmtime::Store<WasiP1Ctx>,
    /// Its start function.
    start: wasmtime::TypedFunc<(), ()>,
    /// Its output.
    stdout: MemoryOutputPipe,
}

impl WasmtimeCommand {
    /// An instance that has not run yet.
    pub(crate) fn instantiate(&self) -> Result<WasmtimeInstance> {
        let stdout = MemoryOutputPipe::new(usize::MAX);
        let mut builder = wasmtime_wasi::WasiCtxBuilder::new();
        builder.args(&self.command.argv()).stdout(stdout.clone());
        if let Some(root) = self.command.root {
            let permissions = wasmtime_wasi::FsPerms::ReadOnly;
            builder.preopened_dir(guests::path(root), "/", permissions)?;
        }
        let mut store = wasmtime::Store::new(self.pre.module().engine(), builder.build_p1());
        let instance = self.pre.instantiate(&mut store)?;
        let start = instance.get_typed_func(&mut store, START)?;
        Ok(WasmtimeInstance { store, start, stdout })
    }

    /// Runs a new instance.
    pub(crate) fn run(&self, clock: Clock, bound: Bound) -> Result<Run> {
        let WasmtimeInstance { mut store, start, stdout } = self.instantiate()?;
        bound.set(&mut store)?;
        let watch = clock.start();
        let outcome = start.call(&mut store, ());
        let seconds = watch.seconds();
        if let Err(error) = outcome {
            match error.downcast_ref::<wasmtime_wasi::I32Exit>() {
                Some(exit) if exit.0 == 0 => {}
                _ => return Err(error.into()),
            }
        }
        Ok(Run { seconds, stdout: stdout.contents().into() })
    }
}
