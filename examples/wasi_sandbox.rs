//! A program that sees one directory in memory, and nothing of the host.

use precast::{Runtime, wasi};
use std::sync::Arc;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = Runtime::new();
    let module = runtime.compile(include_bytes!("../tests/guests/files.wasm"))?;
    let files = wasi::MemoryFs::new();
    files.write("greeting.txt", b"written by the host\n")?;
    let mut namespace = runtime.namespace();
    wasi::Builder::new()
        .args(["files", "/work"])
        .inherit_stdio()
        .file_system(Arc::new(files.clone()), "/work")
        .instantiate(&mut namespace)?;
    let instance = namespace.instantiate(&module)?;
    let ended = instance.typed::<(), ()>(&namespace, "_start")?.call(&mut namespace, ());
    let greeting = String::from_utf8(files.read("greeting.txt")?)?;
    println!("the guest ended with {ended:?}; the host reads {greeting:?}");
    Ok(())
}
