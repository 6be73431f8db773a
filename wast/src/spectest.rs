//! `spectest`, the host module that the scripts of the specification import from.

use std::fmt::Display;

use precast::{
    Error, HostModule, HostModuleBuilder, Limits, MemoryType, RefType, Runtime, TableType, Value,
};

/// The same module as in the specification's interpreter. Its functions print only if `verbose`.
pub(super) fn module(runtime: &Runtime, verbose: bool) -> Result<HostModule<()>, Error> {
    let show = move |name: &str, args: &[&dyn Display]| {
        if verbose {
            let args: Vec<String> = args.iter().map(ToString::to_string).collect();
            eprintln!("spectest.{name}({})", args.join(", "));
        }
    };
    HostModuleBuilder::new("spectest")
        .func("print", move || show("print", &[]))
        .func("print_i32", move |a: i32| show("print_i32", &[&a]))
        .func("print_i64", move |a: i64| show("print_i64", &[&a]))
        .func("print_f32", move |a: f32| show("print_f32", &[&a]))
        .func("print_f64", move |a: f64| show("print_f64", &[&a]))
        .func("print_i32_f32", move |a: i32, b: f32| show("print_i32_f32", &[&a, &b]))
        .func("print_f64_f64", move |a: f64, b: f64| show("print_f64_f64", &[&a, &b]))
        .global("global_i32", Value::I32(666), false)
        .global("global_i64", Value::I64(666), false)
        .global("global_f32", Value::F32(666.6f32.to_bits()), false)
        .global("global_f64", Value::F64(666.6f64.to_bits()), false)
        .table("table", TableType::new(RefType::FUNCREF, Limits::new(10, Some(20))))
        .memory("memory", MemoryType::new(Limits::new(1, Some(2))))
        .build(runtime)
}
