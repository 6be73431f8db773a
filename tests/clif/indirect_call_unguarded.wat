;; Without guards nothing but branches follows from the checks of a call through a table.
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
;; @0051                               v14 = load.i64 notrap region3 v13+16
;; @0051                               v15 = iconst.i64 0x5280_8468_110c_c5f8
;; @0051                               v16 = icmp ne v14, v15  ; v15 = 0x5280_8468_110c_c5f8
;; @0051                               brif v16, block1, block2
;;
;;                                 block1 cold:
;; @0051                               v17 = uextend.i64 v1
;; @0051                               trapnz.i64 v14, user5
;; @0051                               v18 = iconst.i64 1
;; @0051                               v19 = iadd v17, v18  ; v18 = 1
;; @0051                               store notrap region4 v19, v0-56
;; @0051                               trap user4
;;
;;                                 block2:
;; @0051                               v20 = load.i64 notrap region3 v13
;; @0051                               v21 = load.i64 notrap region3 v13+8
;; @0051                               v22 = call_indirect sig0, v20(v21, v2)
;; @0054                               return v22
;; }
