;; Imports functions that nobody defines, and calls one of them.
(module
  (import "env" "weight" (func $weight (param i32 f64) (result i64)))
  (import "env" "unused" (func))
  (func (export "weigh") (result i64)
    (i64.add (i64.const 5) (call $weight (i32.const 1) (f64.const 2)))))
