//! A guest calls a host function that keeps a state for each instance.

use precast::{Caller, HostModuleBuilder, Runtime};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = Runtime::new();
    let text = r#"(module (import "journal" "note" (func $note (param i32) (result i32)))
        (func (export "square") (param i32) (result i32)
          (call $note (i32.mul (local.get 0) (local.get 0)))))"#;
    let module = runtime.compile(&wat::parse_str(text)?)?;
    let journal = HostModuleBuilder::with_state("journal", || 0)
        .func("note", |caller: &mut Caller<'_, i32>, number: i32| {
            *caller.state() += number;
            *caller.state()
        })
        .build(&runtime)?;
    let mut namespace = runtime.namespace();
    namespace.instantiate_host(&journal)?;
    let square = namespace.instantiate(&module)?.typed::<i32, i32>(&namespace, "square")?;
    for number in 1..=3 {
        println!("squares up to that of {number}: {}", square.call(&mut namespace, number)?);
    }
    Ok(())
}
