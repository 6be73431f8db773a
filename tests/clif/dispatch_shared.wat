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
;; @0055                               v9 = uextend.i64 v1
;; @0055                               v10 = iconst.i64 100
;; @0055                               v11 = select_spectre_guard v8, v10, v9  ; v10 = 100
;; @0055                               v12 = symbol_value.i64 gv0
;; @0055                               v13 = iconst.i64 8
;; @0055                               v14 = imul v11, v13  ; v13 = 8
;; @0055                               v15 = iadd v12, v14
;; @0055                               v16 = load.i32 notrap readonly region0 v15+4
;; @0055                               v17 = iconst.i32 2
;; @0055                               v18 = icmp ne v16, v17  ; v17 = 2
;; @0055                               brif v18, block1, block2
;;
;;                                 block1 cold:
;; @0055                               trapnz.i8 v8, user3
;; @0055                               trapnz.i32 v16, user5
;; @0055                               v19 = iconst.i64 1
;; @0055                               v20 = iadd.i64 v11, v19  ; v19 = 1
;; @0055                               store notrap region2 v20, v0-56
;; @0055                               trap user4
;;
;;                                 block2:
;; @0055                               v21 = load.i32 notrap readonly region0 v15
;; @0055                               v22 = sextend.i64 v21
;; @0055                               v23 = iadd.i64 v12, v22
;; @0055                               v24 = iconst.i64 0
;; @0055                               v25 = select_spectre_guard v18, v24, v23  ; v24 = 0
;; @0055                               v26 = call_indirect sig0, v25(v0, v2, v2)
;; @0058                               return v26
;; }
