//! Copies and fills of every short length, known to the compiler or not, against a model: they move
//! the right bytes with any overlap, and write nothing if they trap.

use std::fmt::Write;

use precast::{Instance, Memory, Namespace, TrapCode, Value};

use super::instantiate;

/// Longer than any length that is likely to be treated specially.
const MAX_LEN: usize = 150;
const SIZE: usize = 65536;

struct Guest {
    /// The contents of memory before each call.
    pattern: Vec<u8>,
    ns: Box<Namespace>,
    instance: Instance,
    memory: Memory,
}

impl Guest {
    fn new() -> Self {
        let mut text = String::from(
            r#"(module (memory (export "memory") 1)
                 (func (export "copy") (param i32 i32 i32)
                   (memory.copy (local.get 0) (local.get 1) (local.get 2)))
                 (func (export "fill") (param i32 i32 i32)
                   (memory.fill (local.get 0) (local.get 1) (local.get 2)))"#,
        );
        for len in 0..=MAX_LEN {
            write!(
                text,
                r#"(func (export "copy {len}") (param i32 i32)
                     (memory.copy (local.get 0) (local.get 1) (i32.const {len})))
                   (func (export "fill {len}") (param i32 i32)
                     (memory.fill (local.get 0) (local.get 1) (i32.const {len})))"#
            )
            .unwrap();
        }
        text.push(')');
        let (ns, instance) = instantiate(&text);
        let memory = instance.memory(&ns, "memory").unwrap();
        let pattern = (0..SIZE).map(|i| (i % 251) as u8).collect();
        Guest { pattern, ns, instance, memory }
    }

    /// Calls the function with this constant length, then the one with the length as a parameter.
    #[track_caller]
    fn check(&mut self, name: &str, args: [usize; 2], len: usize) {
        let [a, b] = args.map(|n| Value::I32(n as i32));
        self.check_one(&format!("{name} {len}"), &[a, b], name, args, len);
        self.check_one(name, &[a, b, Value::I32(len as i32)], name, args, len);
    }

    #[track_caller]
    fn check_one(
        &mut self,
        export: &str,
        values: &[Value],
        name: &str,
        [a, b]: [usize; 2],
        len: usize,
    ) {
        let mut model = self.pattern.clone();
        self.memory.data_mut(&mut self.ns).unwrap().copy_from_slice(&model);
        let fits = match name {
            "copy" => a + len <= SIZE && b + len <= SIZE,
            _ => a + len <= SIZE,
        };
        match name {
            "copy" if fits => model.copy_within(b..b + len, a),
            "fill" if fits => model[a..a + len].fill(b as u8),
            _ => {}
        }
        let result = self.instance.call(&mut self.ns, export, values);
        let what = || format!("{export} at {a}, {b}, {len} bytes");
        match result {
            Ok(_) => assert!(fits, "{} does not trap", what()),
            Err(error) => {
                let code = error.trap().map(|trap| trap.code());
                assert_eq!(code, Some(TrapCode::MemoryOutOfBounds), "{}", what());
                assert!(!fits, "{} traps", what());
            }
        }
        assert!(self.memory.data(&self.ns).unwrap() == model, "{}: wrong bytes", what());
    }
}

#[test]
fn copies() {
    let mut guest = Guest::new();
    for len in 0..=MAX_LEN {
        for [to, from] in [
            [1000, 2000],
            [100, 101],
            [101, 100],
            [100, 100 + len / 2],
            [100 + len / 2, 100],
            [0, SIZE - len],
            [SIZE - len, 0],
            [SIZE - len + 1, 0],
            [SIZE - len / 2, 0],
            [0, SIZE - len + 1],
            [SIZE, 0],
            [SIZE + 1, 0],
            [0, SIZE + 1],
            [0xffff_ffff, 0],
            [0, 0xffff_fff8],
        ] {
            guest.check("copy", [to, from], len);
        }
    }
}

#[test]
fn fills() {
    let mut guest = Guest::new();
    for len in 0..=MAX_LEN {
        for [at, byte] in [
            [1000, 0xff],
            [1001, 0x1ab],
            [0, 0],
            [SIZE - len, 7],
            [SIZE - len + 1, 7],
            [SIZE - len / 2, 7],
            [SIZE, 7],
            [SIZE + 1, 7],
            [0xffff_ffff, 7],
        ] {
            guest.check("fill", [at, byte], len);
        }
    }
}
