//! Address space is finite: 39 bits, as on some machines, hold 127 memories.

use std::sync::Barrier;

use precast::{Error, ErrorKind, Runtime};

use super::compile;

const MODULE: &str = r#"(module (memory (export "memory") 1)
  (func (export "f") (param i32) (result i32) (i32.load8_u (local.get 0))))"#;

/// More memories than fit 39 bits.
const MANY: usize = 300;

/// This is one test, because its parts would compete for address space.
#[test]
fn is_shared_and_finite() {
    too_many_instances_are_an_error_and_no_more();
    what_threads_keep_leaves_room_for_others();
}

fn too_many_instances_are_an_error_and_no_more() {
    let runtime = Runtime::new();
    let module = compile(&runtime, MODULE);
    for _ in 0..2 {
        let mut ns = runtime.namespace();
        let made = (0..MANY).map_while(|_| match ns.instantiate(&module) {
            Ok(instance) => Some(instance),
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::System { .. }), "{error}");
                assert!(error.to_string().starts_with("reserving memory"), "{error}");
                None
            }
        });
        let made: Vec<_> = made.collect();
        assert!(made.len() > 50, "only {} instances", made.len());
        // Existing instances continue, and trap as they should.
        for instance in made {
            let f = instance.typed::<(i32,), i32>(&ns, "f").unwrap();
            assert_eq!(f.call(&mut ns, (65535,)).unwrap(), 0);
            assert!(f.call(&mut ns, (65536,)).unwrap_err().trap().is_some());
        }
    }
}

fn what_threads_keep_leaves_room_for_others() {
    const THREADS: usize = 12;
    const EACH: usize = 16;
    let runtime = Runtime::new();
    let module = compile(&runtime, MODULE);
    let run = |count: usize| -> Result<(), Error> {
        let mut ns = runtime.namespace();
        for _ in 0..count {
            let instance = ns.instantiate(&module)?;
            instance.typed::<(i32,), i32>(&ns, "f")?.call(&mut ns, (0,))?;
        }
        Ok(())
    };
    let done = Barrier::new(THREADS + 1);
    let mut results = Vec::new();
    std::thread::scope(|scope| {
        // Threads that stay alive one after the other, with the memories that they keep.
        let (send, receive) = std::sync::mpsc::channel();
        for _ in 0..THREADS {
            let send = send.clone();
            let (run, done) = (&run, &done);
            scope.spawn(move || {
                send.send(run(EACH)).unwrap();
                done.wait();
            });
            results.push(receive.recv().unwrap());
        }
        results.push(run(2 * EACH));
        // Only now: waiting in vain for a thread would hide the failure.
        done.wait();
    });
    results.into_iter().for_each(Result::unwrap);
}
