;; Without guards the bound check of a dispatch table is a branch to a trap.
(module
  (type $unary (func (param i32) (result i32)))
  (type $binary (func (param i32 i32) (result i32)))
  (table 4 funcref)
  (elem (i32.const 0) $inc $dec $add)
  (func $inc (type $unary) (i32.add (local.get 0) (i32.const 1)))
  (func $dec (type $unary) (i32.sub (local.get 0) (i32.const 1)))
  (func $add (type $binary) (i32.add (local.get 0) (local.get 1)))
  (func (export "dispatch") (param i32 i32) (result i32)
    (call_indirect (type $unary) (local.get 1) (local.get 0))))
;; ---
;; function u0:0(i64, i32) -> i32 tail {
;;                                 block0(v0: i64, v1: i32):
;; @0043                               v2 = iconst.i32 1
;; @0045                               v3 = iadd v1, v2  ; v2 = 1
;; @0046                               return v3
;; }
;;
;; function u0:1(i64, i32) -> i32 tail {
;;                                 block0(v0: i64, v1: i32):
;; @004b                               v2 = iconst.i32 1
;; @004d                               v3 = isub v1, v2  ; v2 = 1
;; @004e                               return v3
;; }
;;
;; function u0:2(i64, i32, i32) -> i32 tail {
;;                                 block0(v0: i64, v1: i32, v2: i32):
;; @0055                               v3 = iadd v1, v2
;; @0056                               return v3
;; }
;;
;; function u0:3(i64, i32, i32) -> i32 tail {
;;     region0 = 0 "constant"
;;     gv0 = symbol colocated userextname0
;;     sig0 = (i64, i32) -> i32 tail
;;
;;                                 block0(v0: i64, v1: i32, v2: i32):
;; @005d                               v3 = iconst.i32 4
;; @005d                               v4 = icmp uge v1, v3  ; v3 = 4
;; @005d                               trapnz v4, user3
;; @005d                               v5 = uextend.i64 v1
;; @005d                               v6 = symbol_value.i64 gv0
;; @005d                               v7 = iconst.i64 4
;; @005d                               v8 = imul v5, v7  ; v7 = 4
;; @005d                               v9 = iadd v6, v8
;; @005d                               v10 = load.i32 notrap readonly region0 v9
;; @005d                               v11 = sextend.i64 v10
;; @005d                               v12 = iadd v6, v11
;; @005d                               v13 = call_indirect sig0, v12(v0, v2)
;; @0060                               return v13
;; }
