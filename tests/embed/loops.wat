;; Endless loops of every kind: without calls, with calls, and with calls of the runtime.
(module
  (type $nothing (func))
  (import "host" "nop" (func $nop))
  (memory 1 65536)
  (table $t 8 funcref)
  (table $one 8 funcref)
  (elem declare func $leaf $other)
  (global $g (export "global") (mut i64) (i64.const 0))
  (func $leaf)
  (func $other (param i32) (result i32) (local.get 0))
  (func (export "empty") (loop (br 0)))
  (func (export "count") (loop
    (global.set $g (i64.add (global.get $g) (i64.const 1))) (br 0)))
  (func (export "store") (local i32) (loop
    (i32.store (i32.and (local.get 0) (i32.const 0xfffc)) (local.get 0))
    (local.set 0 (i32.add (local.get 0) (i32.const 4))) (br 0)))
  (func (export "call") (loop (call $leaf) (br 0)))
  (func (export "deep") (loop (drop (call $fib (i32.const 25))) (br 0)))
  (func $fib (param i32) (result i32)
    (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
      (then (local.get 0))
      (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                     (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
  (func (export "indirect") (table.set $t (i32.const 1) (ref.func $leaf))
    (loop (call_indirect $t (type $nothing) (i32.const 1)) (br 0)))
  (func (export "host") (loop (call $nop) (br 0)))
  (func (export "grow") (loop (drop (memory.grow (i32.const 0))) (br 0)))
  (func (export "fill") (loop
    (memory.fill (i32.const 0) (i32.const 7) (i32.const 65536)) (br 0)))
  (func (export "copy") (loop
    (memory.copy (i32.const 0) (i32.const 8) (i32.const 60000)) (br 0)))
  (func (export "table") (loop
    (table.set $one (i32.const 3) (ref.func $leaf))
    (table.set $one (i32.const 3) (ref.func $other))
    (table.set $one (i32.const 3) (ref.null func)) (br 0)))
  (func (export "fill table") (loop
    (table.fill $one (i32.const 0) (ref.func $leaf) (i32.const 8)) (br 0)))
  (func (export "switch") (local i32) (loop
    (block (block (block (br_table 0 1 2 (i32.and (local.get 0) (i32.const 3))))))
    (local.set 0 (i32.add (local.get 0) (i32.const 1))) (br 0)))
  (func (export "call entry") (param i32) (result i32)
    (table.set $t (i32.const 2) (table.get $one (i32.const 3)))
    (call_indirect $one (param i32) (result i32) (local.get 0) (i32.const 3))))
