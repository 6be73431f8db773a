//! Compiles a module once and makes instances of it on every thread.

use precast::{Linker, Runtime};
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = Runtime::new();
    let text = r#"(module (import "env" "seed" (func $seed (result i64))) (memory 1)
        (func (export "run") (param i64) (result i64)
          (i64.store (i32.const 8) (i64.mul (local.get 0) (call $seed))) (i64.load (i32.const 8))))"#;
    let module = runtime.compile(&wat::parse_str(text)?)?;
    let mut linker = Linker::new(&runtime);
    let pre = linker.func("env", "seed", || 3i64)?.instantiate_pre(&module)?;
    let start = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..2i64 {
            let pre = &pre;
            scope.spawn(move || {
                for request in 0..10_000 {
                    let (mut namespace, instance) = pre.instantiate().expect("an instance");
                    let run = instance.typed::<i64, i64>(&namespace, "run").expect("its function");
                    assert_eq!(
                        run.call(&mut namespace, thread + request).ok(),
                        Some(3 * (thread + request))
                    );
                }
            });
        }
    });
    println!("20,000 instances in {:?}", start.elapsed());
    Ok(())
}
