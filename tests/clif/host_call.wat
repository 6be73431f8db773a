;; An imported function is called through its slot of the context: code and context of its own.
(module
  (import "host" "f" (func $f (param i32 f64) (result i64)))
  (func (export "caller") (result i64)
    (call $f (i32.const 1) (f64.const 2))))
;; ---
;; function u0:1(i64) -> i64 tail {
;;     region0 = 0 "constant"
;;     sig0 = (i64, i32, f64) -> i64 tail
;;
;;                                 block0(v0: i64):
;; @0036                               v1 = iconst.i32 1
;; @0038                               v2 = f64const 0x1.0000000000000p1
;; @0041                               v3 = load.i64 notrap readonly can_move region0 v0-128
;; @0041                               v4 = load.i64 notrap readonly can_move region0 v0-120
;; @0041                               v5 = call_indirect sig0, v3(v4, v1, v2)  ; v1 = 1, v2 = 0x1.0000000000000p1
;; @0043                               return v5
;; }
