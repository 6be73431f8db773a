;; An imported function is called through its slot of the context: code and context of its own.
(module
  (import "host" "f" (func $f (param i32 f64) (result i64)))
  (func (export "caller") (result i64)
    (call $f (i32.const 1) (f64.const 2))))
;; ---
;; function u0:1(i64) -> i64 tail {
;;     region0 = 0 "constant"
;;     region1 = 150994944 "stack limit"
;;     sig0 = (i64, i32, f64) -> i64 tail
;;
;;                                 block0(v0: i64):
;;                                     v1 = load.i64 notrap readonly can_move region0 v0-24
;;                                     v2 = load.i64 notrap region1 v1
;;                                     v3 = get_stack_pointer.i64
;;                                     v4 = icmp ult v3, v2
;;                                     trapnz v4, stk_ovf
;; @0036                               v5 = iconst.i32 1
;; @0038                               v6 = f64const 0x1.0000000000000p1
;; @0041                               v7 = load.i64 notrap readonly can_move region0 v0-128
;; @0041                               v8 = load.i64 notrap readonly can_move region0 v0-120
;; @0041                               v9 = call_indirect sig0, v7(v8, v5, v6)  ; v5 = 1, v6 = 0x1.0000000000000p1
;; @0043                               return v9
;; }
