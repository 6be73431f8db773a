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
;;     region1 = 150994944 "stack limit"
;;     gv0 = symbol colocated userextname0
;;     sig0 = (i64, i32) -> i32 tail
;;
;;                                 block0(v0: i64, v1: i32, v2: i32):
;;                                     v3 = load.i64 notrap readonly can_move region0 v0-24
;;                                     v4 = load.i64 notrap region1 v3
;;                                     v5 = get_stack_pointer.i64
;;                                     v6 = icmp ult v5, v4
;;                                     trapnz v6, stk_ovf
;; @005d                               v7 = iconst.i32 4
;; @005d                               v8 = icmp uge v1, v7  ; v7 = 4
;; @005d                               trapnz v8, user3
;; @005d                               v9 = uextend.i64 v1
;; @005d                               v10 = symbol_value.i64 gv0
;; @005d                               v11 = iconst.i64 4
;; @005d                               v12 = imul v9, v11  ; v11 = 4
;; @005d                               v13 = iadd v10, v12
;; @005d                               v14 = load.i32 notrap readonly region0 v13
;; @005d                               v15 = sextend.i64 v14
;; @005d                               v16 = iadd v10, v15
;; @005d                               v17 = call_indirect sig0, v16(v0, v2)
;; @0060                               return v17
;; }
