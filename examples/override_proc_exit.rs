//! Replaces one of WASI's functions by a host function: exit codes start at 100.

use precast::{Caller, HostError, Runtime, wasi};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = Runtime::new();
    let exit = |_: &mut Caller<'_, wasi::Wasi>, code: i32| -> Result<(), HostError> {
        Err(HostError::exit(code + 100))
    };
    let host = wasi::Builder::new().module_builder()?.func("proc_exit", exit).build(&runtime)?;
    let mut namespace = runtime.namespace();
    namespace.instantiate_host(&host)?;
    let module = runtime.compile(include_bytes!("../tests/guests/exit_code.wasm"))?;
    let start = namespace.instantiate(&module)?.typed::<(), ()>(&namespace, "_start")?;
    println!("{}", start.call(&mut namespace, ()).unwrap_err());
    Ok(())
}
