;; Without guards a shared dispatch table is checked by branches alone.
(module
  (type $unary (func (param i32) (result i32)))
  (type $rare (func (param i32 i32) (result i32)))
  (table 100 funcref)
  (elem (i32.const 0) $inc $add)
  (func $inc (type $unary) (i32.add (local.get 0) (i32.const 1)))
  (func $add (type $rare) (i32.add (local.get 0) (local.get 1)))
  (func (export "dispatch") (param i32 i32) (result i32)
    (call_indirect (type $rare) (local.get 1) (local.get 1) (local.get 0))))
;; ---
;; function u0:0(i64, i32) -> i32 tail {
;;                                 block0(v0: i64, v1: i32):
;; @0041                               v2 = iconst.i32 1
;; @0043                               v3 = iadd v1, v2  ; v2 = 1
;; @0044                               return v3
;; }
;;
;; function u0:1(i64, i32, i32) -> i32 tail {
;;                                 block0(v0: i64, v1: i32, v2: i32):
;; @004b                               v3 = iadd v1, v2
;; @004c                               return v3
;; }
;;
;; function u0:2(i64, i32, i32) -> i32 tail {
;;     region0 = 0 "constant"
;;     region1 = 150994944 "stack limit"
;;     region2 = 16777216 "trap operand"
;;     gv0 = symbol colocated userextname0
;;     sig0 = (i64, i32, i32) -> i32 tail
;;
;;                                 block0(v0: i64, v1: i32, v2: i32):
;;                                     v3 = load.i64 notrap readonly can_move region0 v0-24
;;                                     v4 = load.i64 notrap region1 v3
;;                                     v5 = get_stack_pointer.i64
;;                                     v6 = icmp ult v5, v4
;;                                     trapnz v6, stk_ovf
;; @0055                               v7 = iconst.i32 100
;; @0055                               v8 = icmp uge v1, v7  ; v7 = 100
;; @0055                               trapnz v8, user3
;; @0055                               v9 = uextend.i64 v1
;; @0055                               v10 = symbol_value.i64 gv0
;; @0055                               v11 = iconst.i64 8
;; @0055                               v12 = imul v9, v11  ; v11 = 8
;; @0055                               v13 = iadd v10, v12
;; @0055                               v14 = load.i32 notrap readonly region0 v13+4
;; @0055                               v15 = iconst.i32 2
;; @0055                               v16 = icmp ne v14, v15  ; v15 = 2
;; @0055                               brif v16, block1, block2
;;
;;                                 block1 cold:
;; @0055                               trapnz.i32 v14, user5
;; @0055                               v17 = iconst.i64 1
;; @0055                               v18 = iadd.i64 v9, v17  ; v17 = 1
;; @0055                               store notrap region2 v18, v0-56
;; @0055                               trap user4
;;
;;                                 block2:
;; @0055                               v19 = load.i32 notrap readonly region0 v13
;; @0055                               v20 = sextend.i64 v19
;; @0055                               v21 = iadd.i64 v10, v20
;; @0055                               v22 = call_indirect sig0, v21(v0, v2, v2)
;; @0058                               return v22
;; }
