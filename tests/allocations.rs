//! Tests that nothing is allocated on WASI's data path, or in calls that write their results to a
//! slice, or in async calls that do not wait. The allocator counts the allocations of a thread.

use std::fs;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use precast_runtime::{
    ExternRef, Func, HostModuleBuilder, Namespace, Runtime, TypedFunc, Value, WasmParams,
};
use precast_wasi::{Builder, Captured, Input};

#[path = "../wasi/tests/common/mod.rs"]
mod common;
use common::{Guest, IOVEC, RESULT, TempDir};

/// The number of calls of each function.
const CALLS: u32 = 1000;

/// Calls `function` [`CALLS`] times from the guest. The last of `arguments` is that number.
fn assert_allocates_nothing<P: WasmParams>(guest: &mut Guest, function: &str, arguments: P) {
    let often: TypedFunc<P, u32> =
        guest.instance.typed(&guest.namespace, &format!("{function}, often")).unwrap();
    let mut errnos = Ok(1);
    let allocations = allocation_counter::measure(|| {
        errnos = often.call(&mut guest.namespace, arguments);
    });
    assert_eq!(errnos.unwrap(), 0, "{function}");
    assert_eq!(allocations.count_total, 0, "{function} allocated in {CALLS} calls");
}

#[test]
fn the_data_path_allocates_nothing() {
    const RESULT_LEN: u32 = 8;
    let temp = TempDir::new("allocations");
    fs::write(temp.path().join("file"), [7; 8192]).unwrap();
    let stdout = Captured::new();
    let builder =
        Builder::new().dir(temp.path(), "/").stdin(Input::bytes(vec![0; 1 << 20])).stdout(&stdout);
    let mut guest = Guest::new(&builder);
    let file = guest.open("file", 0).unwrap() as u32;
    let four_buffers: Vec<u8> = [[16384u32, 100], [16484, 100], [16584, 0], [20000, 1]]
        .as_flattened()
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();

    for buffers in [1, 4] {
        guest.iovec(100);
        if buffers == 4 {
            guest.write(IOVEC, &four_buffers);
        }
        let g = &mut guest;
        assert_allocates_nothing(g, "fd_pread", (file, IOVEC, buffers, 5u64, RESULT, CALLS));
        assert_allocates_nothing(g, "fd_pwrite", (file, IOVEC, buffers, 5u64, RESULT, CALLS));
        assert_allocates_nothing(g, "fd_read", (file, IOVEC, buffers, RESULT, CALLS));
        assert_allocates_nothing(g, "fd_write", (file, IOVEC, buffers, RESULT, CALLS));
        assert_allocates_nothing(g, "fd_read", (0u32, IOVEC, buffers, RESULT, CALLS));
        assert_allocates_nothing(g, "fd_write", (2u32, IOVEC, buffers, RESULT, CALLS));
    }
    let guest = &mut guest;
    assert_allocates_nothing(guest, "fd_seek", (file, 9i64, 0u32, RESULT, CALLS));
    assert_allocates_nothing(guest, "fd_tell", (file, RESULT, CALLS));
    assert_allocates_nothing(guest, "clock_time_get", (0u32, 0u64, RESULT, CALLS));
    assert_allocates_nothing(guest, "clock_time_get", (1u32, 0u64, RESULT, CALLS));
    assert_allocates_nothing(guest, "random_get", (RESULT, RESULT_LEN, CALLS));
    assert_allocates_nothing(guest, "random_get", (1024u32, 4096u32, CALLS));
    // These are beyond the data path.
    assert_allocates_nothing(guest, "args_sizes_get", (RESULT, RESULT + 4, CALLS));
    assert_allocates_nothing(guest, "fd_fdstat_get", (file, RESULT, CALLS));
    assert_allocates_nothing(guest, "fd_filestat_get", (file, RESULT, CALLS));
    assert_allocates_nothing(guest, "sched_yield", (CALLS,));
}

/// A value of each type.
fn values(namespace: &mut Namespace, func: Func) -> [Value; 9] {
    [
        Value::I32(-1),
        Value::I64(1 << 40),
        Value::F32(0x7fa0_1234),
        Value::F64(0x7ff4_0000_dead_beef),
        Value::V128(u128::MAX - 7),
        Value::FuncRef(Some(func)),
        Value::FuncRef(None),
        Value::ExternRef(Some(namespace.extern_ref("held"))),
        Value::ExternRef(None),
    ]
}

#[test]
fn a_call_with_a_slice_for_its_results_allocates_nothing() {
    let runtime = Runtime::new();
    let mut namespace = runtime.namespace();
    let text = r#"(module (func (export "f")))"#;
    let module = runtime.compile(&wat::parse_str(text).unwrap()).unwrap();
    let func = namespace.instantiate(&module).unwrap().func(&namespace, "f").unwrap();
    let values = values(&mut namespace, func);
    for len in 0..=16 {
        // Each value has its turn at each place.
        for first in 0..values.len() {
            let args: Vec<Value> = values.iter().cycle().skip(first).take(len).copied().collect();
            let types: String = args.iter().map(|arg| format!("{} ", arg.ty())).collect();
            let gets: String = (0..len).map(|n| format!("(local.get {n})")).collect();
            let text = format!(
                r#"(module (func (export "f") (param {types}) (result {types}) {gets})
                     (func (export "none") (param {types})))"#
            );
            let module = runtime.compile(&wat::parse_str(text).unwrap()).unwrap();
            let instance = namespace.instantiate(&module).unwrap();
            let func = instance.func(&namespace, "f").unwrap();
            let none = instance.func(&namespace, "none").unwrap();
            let mut results = vec![Value::I32(7); len];
            let mut call = || {
                func.call_into(&mut namespace, &args, &mut results).unwrap();
                none.call_into(&mut namespace, &args, &mut []).unwrap();
            };
            // The first call allocates once per thread, and for the record of a function that is
            // passed to another instance. That does not count.
            call();
            let allocations = allocation_counter::measure(|| (0..10).for_each(|_| call()));
            assert_eq!(allocations.count_total, 0, "{types}");
            assert_eq!(results, args);
        }
    }
}

#[test]
fn a_call_of_a_host_function_with_a_slice_for_its_results_allocates_nothing() {
    let runtime = Runtime::new();
    let host = HostModuleBuilder::new("host")
        .func("swap", |a: i32, b: f64| (b, a))
        .func("references", |a: Option<Func>, b: u128| (b, a))
        .build(&runtime)
        .unwrap();
    let mut namespace = runtime.namespace();
    let host = namespace.instantiate_host(&host).unwrap();
    let swap = host.func(&namespace, "swap").unwrap();
    let references = host.func(&namespace, "references").unwrap();
    let wide = [Value::FuncRef(Some(swap)), Value::V128(5)];
    let mut results = [Value::I32(7); 2];
    for (func, args) in [(swap, [Value::I32(-1), Value::f64(2.5)]), (references, wide)] {
        let mut call = || func.call_into(&mut namespace, &args, &mut results).unwrap();
        call();
        let allocations = allocation_counter::measure(|| (0..CALLS).for_each(|_| call()));
        assert_eq!(allocations.count_total, 0, "{args:?}");
        assert_eq!(results, [args[1], args[0]]);
    }
}

#[test]
fn a_typed_call_with_vectors_and_references_allocates_nothing() {
    let runtime = Runtime::new();
    let text = r#"(module (func (export "f") (param v128 externref) (result externref v128)
        (local.get 1) (local.get 0)))"#;
    let module = runtime.compile(&wat::parse_str(text).unwrap()).unwrap();
    let mut namespace = runtime.namespace();
    let held = Some(namespace.extern_ref("held"));
    let instance = namespace.instantiate(&module).unwrap();
    type Swapped = (Option<ExternRef>, u128);
    let f = instance.typed::<(u128, Option<ExternRef>), Swapped>(&namespace, "f").unwrap();
    let mut call = || assert_eq!(f.call(&mut namespace, (5, held)).unwrap(), (held, 5));
    call();
    let allocations = allocation_counter::measure(|| (0..CALLS).for_each(|_| call()));
    assert_eq!(allocations.count_total, 0);
}

#[test]
fn an_async_call_allocates_nothing() {
    let runtime = Runtime::new();
    let module = runtime.compile(&wat::parse_str(r#"(module (func (export "f")))"#).unwrap());
    let mut namespace = runtime.namespace();
    let instance = namespace.instantiate(&module.unwrap()).unwrap();
    let f = instance.typed::<(), ()>(&namespace, "f").unwrap();
    let mut call = || {
        let mut context = Context::from_waker(Waker::noop());
        let Poll::Ready(result) = pin!(f.call_async(&mut namespace, ())).poll(&mut context) else {
            panic!("the call waits");
        };
        result.unwrap();
    };
    // The first call maps a stack.
    call();
    let allocations = allocation_counter::measure(|| (0..10).for_each(|_| call()));
    assert_eq!(allocations.count_total, 0);
}
