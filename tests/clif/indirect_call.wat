;; An exported table may be changed by others: its entries lie inline, and the type is checked.
;; While a wrong guess of the bound check lasts, the entry is at address zero; while one of the type
;; check lasts, the code is.
(module
  (type $unary (func (param i32) (result i32)))
  (table (export "table") 4 funcref)
  (elem (i32.const 0) $inc)
  (func $inc (type $unary) (i32.add (local.get 0) (i32.const 1)))
  (func (export "dispatch") (param i32 i32) (result i32)
    (call_indirect (type $unary) (local.get 1) (local.get 0))))
;; ---
;; function u0:0(i64, i32) -> i32 tail {
;;                                 block0(v0: i64, v1: i32):
;; @0047                               v2 = iconst.i32 1
;; @0049                               v3 = iadd v1, v2  ; v2 = 1
;; @004a                               return v3
;; }
;;
;; function u0:1(i64, i32, i32) -> i32 tail {
;;     region0 = 0 "constant"
;;     region1 = 150994944 "stack limit"
;;     region2 = 50331648 "definitions"
;;     region3 = 117440512 "table 0"
;;     region4 = 16777216 "trap operand"
;;     sig0 = (i64, i32) -> i32 tail
;;
;;                                 block0(v0: i64, v1: i32, v2: i32):
;;                                     v3 = load.i64 notrap readonly can_move region0 v0-24
;;                                     v4 = load.i64 notrap region1 v3
;;                                     v5 = get_stack_pointer.i64
;;                                     v6 = icmp ult v5, v4
;;                                     trapnz v6, stk_ovf
;; @0051                               v7 = uextend.i64 v1
;; @0051                               v8 = load.i64 notrap region2 v0-72
;; @0051                               v9 = icmp uge v7, v8
;; @0051                               trapnz v9, user3
;; @0051                               v10 = load.i64 notrap region2 v0-80
;; @0051                               v11 = iconst.i64 5
;; @0051                               v12 = ishl v7, v11  ; v11 = 5
;; @0051                               v13 = iadd v10, v12
;; @0051                               v14 = iconst.i64 0
;; @0051                               v15 = select_spectre_guard v9, v14, v13  ; v14 = 0
;; @0051                               v16 = load.i64 notrap region3 v15+16
;; @0051                               v17 = iconst.i64 0x5280_8468_110c_c5f8
;; @0051                               v18 = icmp ne v16, v17  ; v17 = 0x5280_8468_110c_c5f8
;; @0051                               brif v18, block1, block2
;;
;;                                 block1 cold:
;; @0051                               v19 = uextend.i64 v1
;; @0051                               trapnz.i64 v16, user5
;; @0051                               v20 = iconst.i64 1
;; @0051                               v21 = iadd v19, v20  ; v20 = 1
;; @0051                               store notrap region4 v21, v0-56
;; @0051                               trap user4
;;
;;                                 block2:
;; @0051                               v22 = load.i64 notrap region3 v15
;; @0051                               v23 = load.i64 notrap region3 v15+8
;; @0051                               v24 = iconst.i64 0
;; @0051                               v25 = select_spectre_guard v18, v24, v22  ; v24 = 0
;; @0051                               v26 = call_indirect sig0, v25(v23, v2)
;; @0054                               return v26
;; }
