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
;;     region1 = 16777216 "trap operand"
;;     gv0 = symbol colocated userextname0
;;     sig0 = (i64, i32, i32) -> i32 tail
;;
;;                                 block0(v0: i64, v1: i32, v2: i32):
;; @0055                               v3 = iconst.i32 100
;; @0055                               v4 = icmp uge v1, v3  ; v3 = 100
;; @0055                               trapnz v4, user3
;; @0055                               v5 = uextend.i64 v1
;; @0055                               v6 = symbol_value.i64 gv0
;; @0055                               v7 = iconst.i64 8
;; @0055                               v8 = imul v5, v7  ; v7 = 8
;; @0055                               v9 = iadd v6, v8
;; @0055                               v10 = load.i32 notrap readonly region0 v9+4
;; @0055                               v11 = iconst.i32 2
;; @0055                               v12 = icmp ne v10, v11  ; v11 = 2
;; @0055                               brif v12, block1, block2
;;
;;                                 block1 cold:
;; @0055                               trapnz.i32 v10, user5
;; @0055                               v13 = iconst.i64 1
;; @0055                               v14 = iadd.i64 v5, v13  ; v13 = 1
;; @0055                               store notrap region1 v14, v0-56
;; @0055                               trap user4
;;
;;                                 block2:
;; @0055                               v15 = load.i32 notrap readonly region0 v9
;; @0055                               v16 = sextend.i64 v15
;; @0055                               v17 = iadd.i64 v6, v16
;; @0055                               v18 = call_indirect sig0, v17(v0, v2, v2)
;; @0058                               return v18
;; }
