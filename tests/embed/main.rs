//! The embedding API, as an embedder uses it.

mod address_space;
mod advisories;
mod artifacts;
mod bounds;
mod bulk;
mod calls;
mod canary;
mod closing;
mod density;
mod fuel;
mod fuel_paths;
mod handles;
mod host;
mod hostile;
mod imports;
mod interrupt;
mod large;
mod limits;
mod linker;
mod linking;
mod removal;
mod reset;
mod reuse;
mod safety;
mod sealed;
mod snapshot;
mod speculation;
mod stack;
mod state;
mod tables;
mod targets;
mod traps;
mod typed;
mod types;

use precast::{CompiledModule, Error, HostModuleBuilder, Instance, Namespace, Runtime};

/// Compiles a module from its text.
fn compile(runtime: &Runtime, text: &str) -> CompiledModule {
    let wasm = wat::parse_str(text).expect("the text of the module");
    runtime.compile(&wasm).expect("the module")
}

/// Loads artifacts that a test has compiled and may have damaged.
fn load(runtime: &Runtime, artifact: &[u8]) -> Result<CompiledModule, Error> {
    // SAFETY: tests run only artifacts that they have compiled. A changed artifact is refused, or
    // its code is not called.
    unsafe { runtime.load_bytes(artifact) }
}

/// A namespace with one instance.
fn instantiate(text: &str) -> (Box<Namespace>, Instance) {
    let runtime = Runtime::new();
    let module = compile(&runtime, text);
    let mut namespace = runtime.namespace();
    let instance = namespace.instantiate(&module).expect("the instance");
    (namespace, instance)
}

/// As [`instantiate`], of a module that may import from a host module.
fn instantiate_with_host<T: Send + 'static>(
    host: HostModuleBuilder<T>,
    text: &str,
) -> (Box<Namespace>, Instance) {
    let runtime = Runtime::new();
    let mut namespace = runtime.namespace();
    let host = host.build(&runtime).expect("the host module");
    namespace.instantiate_host(&host).expect("the host instance");
    let instance = namespace.instantiate(&compile(&runtime, text)).expect("the instance");
    (namespace, instance)
}
