//! Exports WASI's functions under the module name `wasi_unstable`, from which programs of 2019
//! import.

use precast::{Runtime, wasi};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = Runtime::new();
    let text = r#"(module (import "wasi_unstable" "sched_yield" (func $yield (result i32)))
        (func (export "run") (result i32) (call $yield)))"#;
    let module = runtime.compile(&wat::parse_str(text)?)?;
    let mut namespace = runtime.namespace();
    wasi::Builder::new().preview0(true).instantiate(&mut namespace)?;
    let run = namespace.instantiate(&module)?.typed::<(), i32>(&namespace, "run")?;
    println!("sched_yield gave {}", run.call(&mut namespace, ())?);
    Ok(())
}
