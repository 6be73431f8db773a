//! The whole state of an instance, for comparison with another, and random changes to it.

use precast::{Extern, Func, HostModule, HostModuleBuilder, Instance, Namespace, Runtime, Value};

use super::compile;

/// A module with a state of every kind.
pub(super) const EVERYTHING: &str = include_str!("everything.wat");

/// The host module that it imports from.
pub(super) fn host(runtime: &Runtime) -> HostModule<()> {
    let host = HostModuleBuilder::new("host").func("add", |a: i32, b: i32| a.wrapping_add(b));
    host.global("base", Value::I32(10), false).build(runtime).unwrap()
}

/// An instance of [`EVERYTHING`].
pub(super) fn everything() -> (Box<Namespace>, Instance) {
    let runtime = Runtime::new();
    let module = compile(&runtime, EVERYTHING);
    let mut namespace = runtime.namespace();
    namespace.instantiate_host(&host(&runtime)).unwrap();
    let instance = namespace.instantiate(&module).unwrap();
    (namespace, instance)
}

/// All that can be read of the exports of an instance. Functions of the instance stand for themselves by
/// what they return.
pub(super) fn describe(namespace: &mut Namespace, instance: Instance) -> Vec<String> {
    let mut exports = instance.exports(namespace);
    exports.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut lines = Vec::new();
    for (name, export) in exports {
        match export {
            Extern::Func(_) => {}
            Extern::Memory(memory) => {
                let bytes = memory.data(namespace).unwrap();
                let used = bytes.iter().enumerate().filter(|(_, byte)| **byte != 0);
                let used: Vec<(usize, u8)> = used.map(|(at, &byte)| (at, byte)).collect();
                lines.push(format!("{name}: {} bytes, {used:?}", bytes.len()));
            }
            Extern::Table(table) => {
                let size = table.size(namespace).unwrap();
                let elements: Vec<Value> =
                    (0..size).map(|at| table.get(namespace, at).unwrap().unwrap()).collect();
                let elements = elements.into_iter().map(|element| reference(namespace, element));
                let elements: Vec<String> = elements.collect();
                lines.push(format!("{name}: {size} elements, {elements:?}"));
            }
            Extern::Global(global) => {
                let value = global.get(namespace).unwrap();
                lines.push(format!("{name}: {}", reference(namespace, value)));
            }
            _ => unreachable!("a module with exports of another kind"),
        }
    }
    lines
}

/// A value; a function is what it returns.
fn reference(namespace: &mut Namespace, value: Value) -> String {
    match value {
        Value::FuncRef(Some(func)) => format!("{:?}", returned(namespace, func)),
        other => format!("{other:?}"),
    }
}

fn returned(namespace: &mut Namespace, func: Func) -> Value {
    let params = func.ty(namespace).unwrap().params().len();
    let args = &[Value::I32(30), Value::I32(4)][..params];
    func.call(namespace, args).unwrap().remove(0)
}

/// Changes an instance of [`EVERYTHING`] by so many random operations. Some trap.
pub(super) fn change(
    namespace: &mut Namespace,
    instance: Instance,
    random: &mut fastrand::Rng,
    operations: usize,
) -> Vec<String> {
    let mut results = Vec::new();
    for _ in 0..operations {
        let (name, bounds): (&str, &[i32]) = [
            ("call", [25].as_slice()),
            ("call_add", &[1000, 1000]),
            ("grow", &[4]),
            ("grow_funcs", &[40]),
            ("grow_filled", &[9]),
            ("set_func", &[40, 30]),
            ("null_func", &[40]),
            ("clear_filled", &[]),
            ("set_global_func", &[30]),
            ("set_globals", &[i32::MAX]),
            ("store", &[300_000, i32::MAX]),
            ("init_data", &[1000, 5, 15]),
            ("drop_data", &[]),
            ("init_elems", &[20, 2, 3]),
            ("drop_elems", &[]),
            ("trap", &[]),
        ][random.usize(0..16)];
        // Segments are rarely dropped.
        if name.starts_with("drop") && random.u8(..) > 25 {
            continue;
        }
        let args: Vec<Value> = bounds.iter().map(|&most| Value::I32(random.i32(0..most))).collect();
        let result = instance.call(namespace, name, &args);
        let result = result.map_err(|error| error.trap().expect("a trap").code());
        results.push(format!("{name} {args:?}: {result:?}"));
    }
    results
}
