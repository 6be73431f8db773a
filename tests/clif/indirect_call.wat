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
;;     region0 = 50331648 "definitions"
;;     region1 = 117440512 "table 0"
;;     region2 = 16777216 "trap operand"
;;     sig0 = (i64, i32) -> i32 tail
;;
;;                                 block0(v0: i64, v1: i32, v2: i32):
;; @0051                               v3 = uextend.i64 v1
;; @0051                               v4 = load.i64 notrap region0 v0-72
;; @0051                               v5 = icmp uge v3, v4
;; @0051                               trapnz v5, user3
;; @0051                               v6 = load.i64 notrap region0 v0-80
;; @0051                               v7 = iconst.i64 5
;; @0051                               v8 = ishl v3, v7  ; v7 = 5
;; @0051                               v9 = iadd v6, v8
;; @0051                               v10 = iconst.i64 0
;; @0051                               v11 = select_spectre_guard v5, v10, v9  ; v10 = 0
;; @0051                               v12 = load.i64 notrap region1 v11+16
;; @0051                               v13 = iconst.i64 0x523d_4492_9268_5daf
;; @0051                               v14 = icmp ne v12, v13  ; v13 = 0x523d_4492_9268_5daf
;; @0051                               brif v14, block1, block2
;;
;;                                 block1 cold:
;; @0051                               v15 = uextend.i64 v1
;; @0051                               trapnz.i64 v12, user5
;; @0051                               v16 = iconst.i64 1
;; @0051                               v17 = iadd v15, v16  ; v16 = 1
;; @0051                               store notrap region2 v17, v0-56
;; @0051                               trap user4
;;
;;                                 block2:
;; @0051                               v18 = load.i64 notrap region1 v11
;; @0051                               v19 = load.i64 notrap region1 v11+8
;; @0051                               v20 = iconst.i64 0
;; @0051                               v21 = select_spectre_guard v14, v20, v18  ; v20 = 0
;; @0051                               v22 = call_indirect sig0, v21(v19, v2)
;; @0054                               return v22
;; }
