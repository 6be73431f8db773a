;; A call of a function of the same module passes the context on and jumps to a known place.
(module
  (func $callee (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
  (func (export "caller") (param i32) (result i32)
    (i32.mul (call $callee (local.get 0)) (call $callee (i32.const 7)))))
;; ---
;; function u0:0(i64, i32) -> i32 tail {
;;                                 block0(v0: i64, v1: i32):
;; @0028                               v2 = iconst.i32 1
;; @002a                               v3 = iadd v1, v2  ; v2 = 1
;; @002b                               return v3
;; }
;;
;; function u0:1(i64, i32) -> i32 tail {
;;     region0 = 0 "constant"
;;     region1 = 150994944 "stack limit"
;;     sig0 = (i64, i32) -> i32 tail
;;     fn0 = colocated u0:0 sig0
;;
;;                                 block0(v0: i64, v1: i32):
;;                                     v2 = load.i64 notrap readonly can_move region0 v0-24
;;                                     v3 = load.i64 notrap region1 v2
;;                                     v4 = get_stack_pointer.i64
;;                                     v5 = icmp ult v4, v3
;;                                     trapnz v5, stk_ovf
;; @0030                               v6 = call fn0(v0, v1)
;; @0032                               v7 = iconst.i32 7
;; @0034                               v8 = call fn0(v0, v7)  ; v7 = 7
;; @0036                               v9 = imul v6, v8
;; @0037                               return v9
;; }
