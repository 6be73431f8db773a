//! Canaries: instances write random bytes to memories, tables and globals. No later instance finds any,
//! whichever way its memory was cleaned.
//!
//! `PRECAST_CANARIES=1000000` sets the number of instances.

use fastrand::Rng;
use precast::{
    CompiledModule, HostModuleBuilder, Instance, Linker, Memory, Namespace, Runtime, Table, Value,
};

use super::compile;

/// Pages of a memory at first, and the bytes of its image, which begins at `AT`.
#[derive(Clone, Copy, Debug)]
struct Shape {
    pages: u32,
    image: usize,
}

/// Small and large memories, with an image that is copied, one that is mapped, and none.
const SHAPES: [Shape; 6] = [
    Shape { pages: 1, image: 0 },
    Shape { pages: 2, image: 11 },
    Shape { pages: 3, image: 60_000 },
    Shape { pages: 40, image: 9 },
    Shape { pages: 40, image: 90_000 },
    Shape { pages: 0, image: 0 },
];

/// Where the image begins.
const AT: usize = 65_536 - 30;

/// The most pages to which a memory grows.
const GROWTH: u64 = 20;

/// Ways of using an instance, each of which is cleaned by other means.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Way {
    /// Nothing is called or changed: everything is reused as it is.
    Unused,
    /// The same, and functions are known outside.
    Known,
    /// A few pages are written: they are written back.
    FewPages,
    /// More ranges of pages than are asked for: all are dropped.
    ManyRanges,
    /// More bytes than are written back: all are dropped.
    Everything,
    /// A memory that has grown shrinks.
    Growth,
    /// The pages are freed while functions of the instance are still known.
    Removal,
    /// Tables change, by the host and by code.
    Tables,
    /// A segment traps, after a part of the instance was initialised.
    Trap,
    /// The instance fails before it exists.
    Failure,
}

const WAYS: [Way; 10] = [
    Way::Unused,
    Way::Known,
    Way::FewPages,
    Way::ManyRanges,
    Way::Everything,
    Way::Growth,
    Way::Removal,
    Way::Tables,
    Way::Trap,
    Way::Failure,
];

/// A module, and its memory as it is at first.
struct Guest {
    module: CompiledModule,
    /// The same with a segment that traps, and with a table that is too large.
    trapping: CompiledModule,
    failing: CompiledModule,
    memory: Vec<u8>,
}

impl Guest {
    fn new(runtime: &Runtime, shape: Shape) -> Guest {
        let Shape { pages, image } = shape;
        let image: Vec<u8> = (0..image).map(|n| b'a' + (n % 26) as u8).collect();
        let mut memory = vec![0; (pages as usize) << 16];
        let at = AT.min(memory.len());
        let data = match image.is_empty() {
            true => String::new(),
            false => {
                memory[at..][..image.len()].copy_from_slice(&image);
                format!("(data (i32.const {at}) \"{}\")", String::from_utf8(image).unwrap())
            }
        };
        let text = |more: &str| {
            format!(
                r#"(module (memory (export "memory") {pages} 200) {data}
                  (table (export "funcs") 12 60 funcref) (elem (i32.const 2) $one $two)
                  (table (export "externs") 5 60 externref)
                  (global (export "number") (mut i64) (i64.const 77))
                  (global (export "vector") (mut v128) (v128.const i64x2 5 6))
                  (global (export "func") (mut funcref) (ref.null func))
                  (global (export "extern") (mut externref) (ref.null extern))
                  (func $one (export "one") (result i32) (i32.const 1))
                  (func $two (result i32) (i32.const 2))
                  (func (export "call") (param i32) (result i32)
                    (call_indirect (result i32) (local.get 0)))
                  (func (export "copy") (param i32 i32)
                    (table.set 0 (local.get 0) (table.get 0 (local.get 1))))
                  (func (export "fill") (param i32 i32 i32)
                    (memory.fill (local.get 0) (local.get 1) (local.get 2)))
                  {more})"#
            )
        };
        Guest {
            module: compile(runtime, &text("")),
            trapping: compile(
                runtime,
                &text("(elem (i32.const 0) $two) (elem (i32.const 12) $one)"),
            ),
            failing: compile(runtime, &text("(table (export \"t\") 10000001 funcref)")),
            memory,
        }
    }
}

/// An instance and what it exports.
struct Arrival {
    instance: Instance,
    memory: Memory,
    funcs: Table,
    externs: Table,
}

const GLOBALS: [&str; 4] = ["number", "vector", "func", "extern"];

impl Arrival {
    /// Checks that everything is as it is at first.
    fn check(ns: &mut Namespace, instance: Instance, guest: &Guest, what: &str) -> Arrival {
        let [funcs, externs] = ["funcs", "externs"].map(|name| instance.table(ns, name).unwrap());
        let memory = instance.memory(ns, "memory").unwrap();
        assert!(memory.data(ns).unwrap() == guest.memory, "{what}: a memory");
        let elements = |table: Table| -> Vec<Value> {
            (0..table.size(ns).unwrap()).map(|n| table.get(ns, n).unwrap().unwrap()).collect()
        };
        let (null, all) = (Value::FuncRef(None), elements(funcs));
        assert_eq!(all.len(), 12, "{what}");
        assert!((0..12).all(|n| (all[n] == null) == (n != 2 && n != 3)), "{what}: {all:?}");
        assert_eq!(elements(externs), [Value::ExternRef(None); 5], "{what}");
        let globals = GLOBALS.map(|name| instance.global(ns, name).unwrap().get(ns).unwrap());
        let vector = Value::V128(6 << 64 | 5);
        assert_eq!(globals, [Value::I64(77), vector, null, Value::ExternRef(None)], "{what}");
        let one = instance.func(ns, "one").unwrap();
        assert_eq!(all[2], Value::FuncRef(Some(one)), "{what}");
        let call = instance.typed::<(i32,), i32>(ns, "call").unwrap();
        assert_eq!([2, 3].map(|n| call.call(ns, (n,)).unwrap()), [1, 2], "{what}");
        assert!(call.call(ns, (0,)).unwrap_err().trap().is_some(), "{what}");
        Arrival { instance, memory, funcs, externs }
    }

    /// Leaves random bytes.
    fn write(&self, ns: &mut Namespace, random: &mut Rng, way: Way) {
        let Arrival { instance, memory, funcs, externs } = *self;
        let name = GLOBALS[random.usize(0..2)];
        let value = match name {
            "number" => Value::I64(random.i64(..)),
            _ => Value::V128(random.u128(..)),
        };
        instance.global(ns, name).unwrap().set(ns, value).unwrap();
        match way {
            Way::Growth => drop(memory.grow(ns, random.u64(1..GROWTH)).unwrap()),
            Way::Tables => {
                let secret = ns.extern_ref("a secret");
                let func = Value::FuncRef(Some(instance.func(ns, "one").unwrap()));
                funcs.set(ns, random.u64(0..12), func).unwrap();
                externs.set(ns, random.u64(0..5), secret.into()).unwrap();
                instance.global(ns, "func").unwrap().set(ns, func).unwrap();
                instance.global(ns, "extern").unwrap().set(ns, secret.into()).unwrap();
                let copy = instance.typed::<(u32, u32), ()>(ns, "copy").unwrap();
                copy.call(ns, (random.u32(0..12), random.u32(0..12))).unwrap();
                if random.bool() {
                    funcs.grow(ns, random.u64(1..20), func).unwrap();
                    externs.grow(ns, random.u64(1..20), secret.into()).unwrap();
                }
            }
            _ => {}
        }
        let size = memory.size(ns).unwrap() << 16;
        if size == 0 {
            return;
        }
        let (count, most) = match way {
            Way::ManyRanges => (50, 100),
            Way::Everything => (1, size),
            _ => (random.u64(1..4), 9000),
        };
        let fill = instance.typed::<(u32, u32, u32), ()>(ns, "fill").unwrap();
        for _ in 0..count {
            let len = if way == Way::Everything { most } else { random.u64(1..most) };
            let at = random.u64(..=size - len);
            if random.bool() {
                fill.call(ns, (at as u32, random.u32(..), len as u32)).unwrap();
            } else {
                let bytes = &mut memory.data_mut(ns).unwrap()[at as usize..][..len as usize];
                random.fill(bytes);
            }
        }
    }
}

/// Makes two instances, whose functions are looked up.
fn know(ns: &mut Namespace, guest: &Guest) {
    for _ in 0..2 {
        let instance = ns.instantiate(&guest.module).unwrap();
        assert!(instance.typed::<(i32,), i32>(ns, "call").is_ok());
        assert!(instance.func(ns, "fill").is_some());
    }
}

/// So many instances of random modules, used in random ways.
fn run(runtime: &Runtime, guests: &[Guest], mut random: Rng, count: usize) {
    // Some stay alive, so that several reservations are in turn.
    let mut live: Vec<Box<Namespace>> = Vec::new();
    for n in 0..count {
        // The same module several times in a row in most cases: that reuses the most.
        let at = if random.u8(..3) > 0 { n / 8 } else { random.usize(..) } % guests.len();
        let (guest, way) = (&guests[at], WAYS[random.usize(0..WAYS.len())]);
        let mut ns = runtime.namespace();
        let what = format!("instance {n}, {:?}, {way:?}", SHAPES[at]);
        match way {
            Way::Trap => {
                let error = ns.instantiate(&guest.trapping).unwrap_err();
                assert!(error.trap().is_some(), "{error}");
            }
            Way::Failure => drop(ns.instantiate(&guest.failing).unwrap_err()),
            Way::Unused => drop(ns.instantiate(&guest.module).unwrap()),
            Way::Known => know(&mut ns, guest),
            _ => {
                let instance = ns.instantiate(&guest.module).unwrap();
                let arrival = Arrival::check(&mut ns, instance, guest, &what);
                arrival.write(&mut ns, &mut random, way);
                if way == Way::Removal {
                    ns.remove(instance).unwrap();
                    let held = arrival.memory.data(&ns).unwrap();
                    assert!(held == guest.memory, "{what}: a removed memory");
                } else if random.bool() {
                    instance.reset(&mut ns).unwrap();
                    let arrival = Arrival::check(&mut ns, instance, guest, &what);
                    arrival.write(&mut ns, &mut random, way);
                }
            }
        }
        live.push(ns);
        if live.len() > random.usize(0..5) {
            live.swap_remove(random.usize(0..live.len()));
        }
    }
}

#[test]
fn no_instance_finds_what_another_wrote() {
    let count = std::env::var("PRECAST_CANARIES").ok().and_then(|n| n.parse().ok()).unwrap_or(3000);
    let runtime = Runtime::new();
    let guests = SHAPES.map(|shape| Guest::new(&runtime, shape));
    std::thread::scope(|scope| {
        for seed in [1, 2] {
            let (runtime, guests) = (&runtime, &guests);
            scope.spawn(move || run(runtime, guests, Rng::with_seed(seed), count / 2));
        }
    });
}

/// Each way and then an instance that looks, for each module: no way depends on chance.
#[test]
fn each_way_is_cleaned() {
    let runtime = Runtime::new();
    for shape in SHAPES {
        let guest = Guest::new(&runtime, shape);
        let other = Guest::new(&runtime, SHAPES[1]);
        let mut random = Rng::with_seed(7);
        for (way, next) in WAYS.into_iter().flat_map(|way| WAYS.map(|next| (way, next))) {
            for way in [way, next] {
                let mut ns = runtime.namespace();
                let what = format!("{shape:?}, {way:?}");
                match way {
                    Way::Trap => drop(ns.instantiate(&guest.trapping).unwrap_err()),
                    Way::Failure => drop(ns.instantiate(&guest.failing).unwrap_err()),
                    Way::Unused => drop(ns.instantiate(&guest.module).unwrap()),
                    Way::Known => know(&mut ns, &guest),
                    _ => {
                        let instance = ns.instantiate(&guest.module).unwrap();
                        for _ in 0..2 {
                            let arrival = Arrival::check(&mut ns, instance, &guest, &what);
                            arrival.write(&mut ns, &mut random, way);
                            instance.reset(&mut ns).unwrap();
                        }
                        Arrival::check(&mut ns, instance, &guest, &what).write(
                            &mut ns,
                            &mut random,
                            way,
                        );
                    }
                }
            }
            for guest in [&guest, &other] {
                let mut ns = runtime.namespace();
                let instance = ns.instantiate(&guest.module).unwrap();
                Arrival::check(&mut ns, instance, guest, &format!("{shape:?}, {way:?}, {next:?}"));
            }
        }
    }
}

/// Records and elements of imported functions are never those of an earlier instance, also if nothing of
/// that one was used.
#[test]
fn imports_are_those_of_the_instance() {
    let runtime = Runtime::new();
    let import = r#"(import "env" "f" (func $f (result i32)))"#;
    let text = |elements: &str| {
        format!(
            r#"(module {import} (memory 1)
              (func $own (result i32) (i32.const 7))
              (table (export "table") 3 funcref) (elem (i32.const 0) {elements})
              (global (export "ref") funcref (ref.func $f))
              (elem declare func $f)
              (func (export "call") (param i32) (result i32)
                (call_indirect (result i32) (local.get 0)))
              (func (export "put") (table.set 0 (i32.const 2) (ref.func $f))))"#
        )
    };
    let provider = |n: i32| {
        let text = format!(
            r#"(module (memory 1) (global $n (mut i32) (i32.const {n}))
              (func (export "f") (result i32) (global.get $n)))"#
        );
        compile(&runtime, &text)
    };
    for elements in ["$f $own", "$own"] {
        let module = compile(&runtime, &text(elements));
        let pre = [1, 2, 3, 4].map(|n| {
            let mut linker = Linker::new(&runtime);
            match n {
                1 => {
                    linker.func("env", "f", || 1).unwrap();
                }
                2 => {
                    let host = HostModuleBuilder::with_state("env", || 2);
                    let host =
                        host.func("f", |caller: &mut precast::Caller<'_, i32>| *caller.state());
                    linker.host(&host.build(&runtime).unwrap()).unwrap();
                }
                n => {
                    linker.module("env", &provider(n)).unwrap();
                }
            }
            (n, linker.instantiate_pre(&module).unwrap())
        });
        let mut random = Rng::with_seed(3);
        for _ in 0..300 {
            let (n, pre) = &pre[random.usize(0..4)];
            let (mut ns, instance) = pre.instantiate().unwrap();
            if random.bool() {
                continue;
            }
            let first = if elements == "$own" { 7 } else { *n };
            let call = instance.typed::<(i32,), i32>(&ns, "call").unwrap();
            assert_eq!(call.call(&mut ns, (0,)).unwrap(), first);
            assert!(call.call(&mut ns, (2,)).unwrap_err().trap().is_some());
            let held = instance.global(&ns, "ref").unwrap().get(&ns).unwrap().as_func().unwrap();
            assert_eq!(held.call(&mut ns, &[]).unwrap(), [Value::I32(*n)]);
            instance.call(&mut ns, "put", &[]).unwrap();
            assert_eq!(call.call(&mut ns, (2,)).unwrap(), *n);
        }
    }
}
