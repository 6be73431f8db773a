//! Address space is finite: 39 bits of it, as some machines have, hold 127 memories.

use std::sync::Barrier;

use precast::{ErrorKind, Runtime};

use super::compile;

const MODULE: &str = r#"(module (memory (export "memory") 1)
  (func (export "f") (param i32) (result i32) (i32.load8_u (local.get 0))))"#;

/// More than fit 39 bits.
const MANY: usize = 300;

#[test]
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
        // Those there are go on, and trap as they should.
        for instance in made {
            let f = instance.typed::<(i32,), i32>(&ns, "f").unwrap();
            assert_eq!(f.call(&mut ns, (65535,)).unwrap(), 0);
            assert!(f.call(&mut ns, (65536,)).unwrap_err().trap().is_some());
        }
    }
}

#[test]
fn what_threads_keep_leaves_room_for_others() {
    const THREADS: usize = 12;
    const EACH: usize = 16;
    let runtime = Runtime::new();
    let module = compile(&runtime, MODULE);
    let run = |count: usize| {
        let mut ns = runtime.namespace();
        for _ in 0..count {
            let instance = ns.instantiate(&module).unwrap();
            let f = instance.typed::<(i32,), i32>(&ns, "f").unwrap();
            assert_eq!(f.call(&mut ns, (0,)).unwrap(), 0);
        }
    };
    let done = Barrier::new(THREADS + 1);
    std::thread::scope(|scope| {
        // Threads that stay, with what they keep, one after the other.
        let (send, receive) = std::sync::mpsc::channel();
        for _ in 0..THREADS {
            let send = send.clone();
            let (run, done) = (&run, &done);
            scope.spawn(move || {
                run(EACH);
                send.send(()).unwrap();
                done.wait();
            });
            receive.recv().unwrap();
        }
        run(2 * EACH);
        done.wait();
    });
}
