//! Fuel: the operators that guests execute are counted, and limited.

use precast::{
    Caller, Config, ErrorKind, HostModuleBuilder, Instance, Namespace, Runtime, TrapCode,
};
use precast::{Error, Value};

use super::compile;

fn runtime(optimize: bool) -> Runtime {
    Runtime::with_config(Config::new().fuel(true).optimize(optimize))
}

/// Calls functions with one parameter, and gives what each call consumes.
fn consumed(text: &str, calls: &[(&str, i32)], optimize: bool) -> Vec<u64> {
    let runtime = runtime(optimize);
    let mut ns = runtime.namespace();
    let instance = ns.instantiate(&compile(&runtime, text)).unwrap();
    let consumed = calls.iter().map(|(name, arg)| {
        ns.set_fuel(1_000_000_000);
        let result = instance.call(&mut ns, name, &[Value::I32(*arg)]);
        if let Err(error) = result {
            assert!(error.trap().is_some(), "{name}: {error}");
        }
        assert_eq!(ns.fuel() + ns.fuel_consumed(), 1_000_000_000);
        ns.fuel_consumed()
    });
    consumed.collect()
}

const COUNTED: &str = r#"(module
  (type $t (func (param i32) (result i32)))
  (memory 1)
  (table $fixed funcref (elem $leaf $sum))
  (table $open (export "table") 2 funcref)
  (elem (table $open) (i32.const 0) func $leaf $sum)
  (func $leaf (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
  (func (export "straight") (param i32) (result i32)
    nop (i32.mul (local.get 0) (i32.add (local.get 0) (i32.const 7))))
  (func $sum (export "sum") (param i32) (result i32) (local $s i32)
    (loop
      (local.set $s (i32.add (local.get $s) (local.get 0)))
      (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get $s))
  (func $fib (export "fib") (param i32) (result i32)
    (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
      (then (local.get 0))
      (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                     (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
  (func (export "branches") (param i32) (result i32)
    (block $two (block $one (block $zero
      (br_table $zero $one $two (local.get 0)))
      (return (i32.const 5)))
      (drop (i32.const 1)) (br $two))
    (if (local.get 0) (then (return (i32.const 6))))
    (i32.const 7))
  (func (export "fixed") (param i32) (result i32)
    (call_indirect $fixed (type $t) (i32.const 3) (local.get 0)))
  (func (export "open") (param i32) (result i32)
    (call_indirect $open (type $t) (i32.const 3) (local.get 0)))
  (func (export "fill") (param i32) (result i32)
    (memory.fill (i32.const 0) (i32.const 1) (local.get 0)) (i32.const 0))
  (func (export "trap") (param i32) (result i32)
    (if (local.get 0) (then (drop (call $leaf (i32.const 1))) unreachable))
    (i32.const 1)))"#;

#[test]
fn every_operator_counts_however_it_is_compiled() {
    let calls = [
        // local.get, local.get, i32.const, i32.add, i32.mul
        ("straight", 1, 5),
        // Per iteration: 4 operators for the sum, 4 for the counter, br_if. Then local.get.
        ("sum", 1, 10),
        ("sum", 1000, 9001),
        // local.get, i32.const, i32.lt_u, if, local.get
        ("fib", 1, 5),
        // 4 for the condition, 4 for each call with its argument, 1 for the sum, and the calls.
        ("fib", 2, 13 + 5 + 5),
        ("fib", 3, 13 + 23 + 5),
        // local.get, br_table; i32.const, return
        ("branches", 0, 4),
        // local.get, br_table; i32.const, drop, br; local.get, if; i32.const, return
        ("branches", 1, 9),
        ("branches", 2, 6),
        ("branches", 9, 6),
        // i32.const, local.get, call_indirect; the callee
        ("fixed", 0, 3 + 3),
        ("fixed", 1, 3 + 28),
        ("open", 0, 3 + 3),
        ("open", 1, 3 + 28),
        // The trap is in the caller, so its operators are counted when it calls.
        ("open", 2, 3),
        // i32.const, i32.const, local.get, memory.fill, and bytes / 16; i32.const
        ("fill", 0, 5),
        ("fill", 15, 5),
        ("fill", 16, 6),
        ("fill", 65536, 5 + 4096),
        // local.get, if; i32.const, call, drop, unreachable; the callee
        ("trap", 1, 6 + 3),
        ("trap", 0, 3),
    ];
    let expected: Vec<u64> = calls.iter().map(|call| call.2).collect();
    let calls: Vec<(&str, i32)> = calls.iter().map(|call| (call.0, call.1)).collect();
    for optimize in [true, false] {
        let consumed = consumed(COUNTED, &calls, optimize);
        for ((call, expected), consumed) in calls.iter().zip(&expected).zip(consumed) {
            // A null element traps before the call stores what was counted.
            if *call == ("open", 2) {
                assert!(consumed <= *expected, "{call:?}: {consumed}");
                continue;
            }
            assert_eq!(consumed, *expected, "{call:?}, optimised: {optimize}");
        }
    }
}

fn code(error: &Error) -> Option<TrapCode> {
    error.trap().map(precast::Trap::code)
}

fn counted() -> (Box<Namespace>, Instance) {
    let runtime = runtime(true);
    let mut ns = runtime.namespace();
    let instance = ns.instantiate(&compile(&runtime, COUNTED)).unwrap();
    (ns, instance)
}

#[test]
fn a_guest_without_fuel_stops_and_goes_on_with_more() {
    let (mut ns, instance) = counted();
    let sum = instance.typed::<i32, i32>(&ns, "sum").unwrap();
    for (fuel, ends) in [(9001, true), (9000, false), (100, false), (0, false)] {
        ns.set_fuel(fuel);
        let result = sum.call(&mut ns, 1000);
        assert_eq!(result.is_ok(), ends, "{fuel}");
        match result {
            Ok(sum) => assert_eq!(sum, 500_500),
            Err(error) => {
                assert_eq!(code(&error), Some(TrapCode::OutOfFuel));
                assert!(!error.trap().unwrap().frames().is_empty());
                assert_eq!((ns.fuel(), ns.fuel_consumed()), (0, fuel));
                // Nothing is left to begin with.
                let again = sum.call(&mut ns, 1).unwrap_err();
                assert_eq!(code(&again), Some(TrapCode::OutOfFuel));
            }
        }
    }
    assert!(!instance.is_interrupted(&ns));
    ns.set_fuel(u64::MAX);
    assert_eq!(sum.call(&mut ns, 1000).unwrap(), 500_500);
    assert_eq!(ns.fuel_consumed(), 9001);
}

#[test]
fn recursion_needs_fuel() {
    let (mut ns, instance) = counted();
    let fib = instance.typed::<i32, i32>(&ns, "fib").unwrap();
    ns.set_fuel(1000);
    let error = fib.call(&mut ns, 30).unwrap_err();
    assert_eq!(code(&error), Some(TrapCode::OutOfFuel));
    assert_eq!(ns.fuel_consumed(), 1000);
}

#[test]
fn host_functions_see_what_was_consumed_and_can_give_more() {
    let runtime = runtime(true);
    let host = HostModuleBuilder::new("host")
        .func("consumed", |caller: &mut Caller<'_, ()>| caller.namespace().fuel_consumed() as i64)
        .func("refuel", |caller: &mut Caller<'_, ()>| caller.namespace().set_fuel(100));
    let mut ns = runtime.namespace();
    ns.instantiate_host(&host.build(&runtime).unwrap()).unwrap();
    let text = r#"(module
      (import "host" "consumed" (func $consumed (result i64)))
      (import "host" "refuel" (func $refuel))
      (func (export "consumed") (result i64) (drop (i32.const 1)) (call $consumed))
      (func (export "refuels") (param i32)
        (loop (call $refuel) (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"#;
    let instance = ns.instantiate(&compile(&runtime, text)).unwrap();
    // Before it was given any, fuel has no end, and is counted.
    assert_eq!(instance.call(&mut ns, "consumed", &[]).unwrap(), [Value::I64(3)]);
    ns.set_fuel(10);
    assert_eq!(instance.call(&mut ns, "consumed", &[]).unwrap(), [Value::I64(3)]);
    assert_eq!(instance.call(&mut ns, "consumed", &[]).unwrap(), [Value::I64(6)]);
    instance.call(&mut ns, "refuels", &[Value::I32(1000)]).unwrap();
    assert_eq!(ns.fuel_consumed(), 5);
}

#[test]
fn fuel_needs_modules_that_count() {
    let without = Runtime::new();
    let mut ns = without.namespace();
    let module = compile(&without, COUNTED);
    ns.instantiate(&module).unwrap();
    assert_eq!(ns.fuel_consumed(), 0);
    ns.set_fuel(1);
    let error = ns.instantiate(&module).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unsupported(_)), "{error}");
    let message = "the namespace has fuel, and the module was compiled without";
    assert_eq!(error.to_string(), message);
}
