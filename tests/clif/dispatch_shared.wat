;; A type that few elements have shares a dispatch table with others and checks the type. The last
;; entry, which traps, stands for all indices beyond the table. While a wrong guess of the type check
;; lasts, the code is at address zero.
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
;; @0055                               v5 = uextend.i64 v1
;; @0055                               v6 = iconst.i64 100
;; @0055                               v7 = select_spectre_guard v4, v6, v5  ; v6 = 100
;; @0055                               v8 = symbol_value.i64 gv0
;; @0055                               v9 = iconst.i64 8
;; @0055                               v10 = imul v7, v9  ; v9 = 8
;; @0055                               v11 = iadd v8, v10
;; @0055                               v12 = load.i32 notrap readonly region0 v11+4
;; @0055                               v13 = iconst.i32 2
;; @0055                               v14 = icmp ne v12, v13  ; v13 = 2
;; @0055                               brif v14, block1, block2
;;
;;                                 block1 cold:
;; @0055                               trapnz.i8 v4, user3
;; @0055                               trapnz.i32 v12, user5
;; @0055                               v15 = iconst.i64 1
;; @0055                               v16 = iadd.i64 v7, v15  ; v15 = 1
;; @0055                               store notrap region1 v16, v0-56
;; @0055                               trap user4
;;
;;                                 block2:
;; @0055                               v17 = load.i32 notrap readonly region0 v11
;; @0055                               v18 = sextend.i64 v17
;; @0055                               v19 = iadd.i64 v8, v18
;; @0055                               v20 = iconst.i64 0
;; @0055                               v21 = select_spectre_guard v14, v20, v19  ; v20 = 0
;; @0055                               v22 = call_indirect sig0, v21(v0, v2, v2)
;; @0058                               return v22
;; }
