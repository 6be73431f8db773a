;; Without guards the explicit check of an address is a branch alone.
(module
  (memory 1)
  (func (export "load") (param i32) (result i32)
    (i32.load offset=0xf0000000 (local.get 0))))
;; ---
;; function u0:0(i64, i32) -> i32 tail {
;;     region0 = 100663296 "memory 0"
;;     region1 = 50331648 "definitions"
;;
;;                                 block0(v0: i64, v1: i32):
;; @002a                               v2 = uextend.i64 v1
;; @002a                               v3 = iconst.i64 0xf000_0004
;; @002a                               v4 = iadd v2, v3  ; v3 = 0xf000_0004
;; @002a                               v5 = load.i64 notrap region1 v0-8
;; @002a                               v6 = icmp ugt v4, v5
;; @002a                               trapnz v6, heap_oob
;; @002a                               v7 = iadd v0, v2
;; @002a                               v8 = iconst.i64 0xf000_0000
;; @002a                               v9 = iadd v7, v8  ; v8 = 0xf000_0000
;; @002a                               v10 = load.i32 little region0 v9
;; @0031                               return v10
;; }
