//! Runs a program that needs only its standard output.

use precast::{Runtime, wasi};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = Runtime::new();
    let module = runtime.compile(include_bytes!("../tests/guests/hello.wasm"))?;
    let mut namespace = runtime.namespace();
    wasi::Builder::new().inherit_stdio().instantiate(&mut namespace)?;
    let instance = namespace.instantiate(&module)?;
    instance.typed::<(), ()>(&namespace, "_start")?.call(&mut namespace, ())?;
    Ok(())
}
