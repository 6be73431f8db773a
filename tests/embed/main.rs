//! The embedding API, used as an embedder would.

mod address_space;
mod artifacts;
mod bulk;
mod calls;
mod closing;
mod handles;
mod host;
mod hostile;
mod imports;
mod linking;
mod reuse;
mod safety;
mod stack;
mod targets;
mod traps;

use precast::{CompiledModule, Instance, Namespace, Runtime};

/// Compiles a module from its text.
fn compile(runtime: &Runtime, text: &str) -> CompiledModule {
    let wasm = wat::parse_str(text).expect("the text of the module");
    runtime.compile(&wasm).expect("the module")
}

/// A namespace with one instance in it.
fn instantiate(text: &str) -> (Box<Namespace>, Instance) {
    let runtime = Runtime::new();
    let module = compile(&runtime, text);
    let mut namespace = runtime.namespace();
    let instance = namespace.instantiate(&module).expect("the instance");
    (namespace, instance)
}
