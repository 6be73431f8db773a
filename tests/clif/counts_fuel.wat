;; A loop and a call in code that counts its operators: one subtraction for each run of operators, a
;; comparison for each iteration, and the fuel in the store context around the call.
(module
  (func $leaf)
  (func (export "run") (param i32)
    (loop
      (call $leaf)
      (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))
;; ---
;; function u0:0(i64) tail {
;;     region0 = 0 "constant"
;;     region1 = 167772160 "fuel"
;;
;;                                 block0(v0: i64):
;; @0025                               v1 = load.i64 notrap readonly can_move region0 v0-24
;; @0025                               v2 = load.i64 notrap region1 v1+8
;; @0025                               v3 = load.i64 notrap readonly can_move region0 v0-24
;; @0025                               store notrap region1 v2, v3+8
;; @0025                               return
;; }
;;
;; function u0:1(i64, i32) tail {
;;     region0 = 0 "constant"
;;     region1 = 150994944 "stack limit"
;;     region2 = 167772160 "fuel"
;;     sig0 = (i64) tail
;;     fn0 = colocated u0:0 sig0
;;
;;                                 block0(v0: i64, v1: i32):
;;                                     v2 = load.i64 notrap readonly can_move region0 v0-24
;;                                     v3 = load.i64 notrap region1 v2
;;                                     v4 = get_stack_pointer.i64
;;                                     v5 = icmp ult v4, v3
;;                                     trapnz v5, stk_ovf
;; @0028                               v6 = load.i64 notrap readonly can_move region0 v0-24
;; @0028                               v7 = load.i64 notrap region2 v6+8
;; @0028                               jump block1(v7, v1)
;;
;;                                 block1(v9: i64, v14: i32):
;; @002a                               v8 = iconst.i64 1
;; @002a                               v10 = uadd_overflow_trap v9, v8, user8  ; v8 = 1
;; @002a                               v11 = load.i64 notrap readonly can_move region0 v0-24
;; @002a                               store notrap region2 v10, v11+8
;; @002a                               call fn0(v0)
;; @002a                               v12 = load.i64 notrap readonly can_move region0 v0-24
;; @002a                               v13 = load.i64 notrap region2 v12+8
;; @002e                               v15 = iconst.i32 1
;; @0030                               v16 = isub v14, v15  ; v15 = 1
;; @0033                               v17 = iconst.i64 5
;; @0033                               v18 = uadd_overflow_trap v13, v17, user8  ; v17 = 5
;; @0033                               brif v16, block1(v18, v16), block2
;;
;;                                 block2:
;; @0036                               v19 = load.i64 notrap readonly can_move region0 v0-24
;; @0036                               store.i64 notrap region2 v18, v19+8
;; @0036                               return
;; }
