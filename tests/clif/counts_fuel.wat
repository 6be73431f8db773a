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
;; @0028                               v8 = iconst.i64 0
;; @0028                               v9 = icmp slt v7, v8  ; v8 = 0
;; @0028                               brif v9, block1, block2
;;
;;                                 block1 cold:
;; @0028                               v10 = load.i64 notrap readonly can_move region0 v0-24
;; @0028                               store.i64 notrap region2 v7, v10+8
;; @0028                               trap user8
;;
;;                                 block2:
;; @0028                               jump block3(v7, v1)
;;
;;                                 block3(v11: i64, v20: i32):
;; @0028                               v12 = iconst.i64 0
;; @0028                               v13 = icmp slt v11, v12  ; v12 = 0
;; @0028                               brif v13, block4, block5
;;
;;                                 block4 cold:
;; @0028                               v14 = load.i64 notrap readonly can_move region0 v0-24
;; @0028                               store.i64 notrap region2 v11, v14+8
;; @0028                               trap user8
;;
;;                                 block5:
;; @002a                               v15 = iconst.i64 1
;; @002a                               v16 = isub.i64 v11, v15  ; v15 = 1
;; @002a                               v17 = load.i64 notrap readonly can_move region0 v0-24
;; @002a                               store notrap region2 v16, v17+8
;; @002a                               call fn0(v0)
;; @002a                               v18 = load.i64 notrap readonly can_move region0 v0-24
;; @002a                               v19 = load.i64 notrap region2 v18+8
;; @002e                               v21 = iconst.i32 1
;; @0030                               v22 = isub.i32 v20, v21  ; v21 = 1
;; @0033                               v23 = iconst.i64 5
;; @0033                               v24 = isub v19, v23  ; v23 = 5
;; @0033                               brif v22, block3(v24, v22), block6
;;
;;                                 block6:
;; @0036                               v25 = load.i64 notrap readonly can_move region0 v0-24
;; @0036                               store.i64 notrap region2 v24, v25+8
;; @0036                               return
;; }
