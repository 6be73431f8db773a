;; The context pointer is the base of memory 0: an access is an addition and a load, with no bounds
;; check, and the static offset is part of the load.
(module
  (memory 1)
  (func (export "load") (param i32) (result i32)
    (i32.load offset=16 (local.get 0)))
  (func (export "store") (param i32 i64)
    (i64.store (local.get 0) (local.get 1)))
  (func (export "byte") (param i32) (result i32)
    (i32.load8_s (local.get 0)))
  (func (export "vector") (param i32) (result v128)
    (v128.load (local.get 0))))
;; ---
;; function u0:0(i64, i32) -> i32 tail {
;;     region0 = 100663296 "memory 0"
;;
;;                                 block0(v0: i64, v1: i32):
;; @004f                               v2 = uextend.i64 v1
;; @004f                               v3 = iadd v0, v2
;; @004f                               v4 = load.i32 little region0 v3+16
;; @0052                               return v4
;; }
;;
;; function u0:1(i64, i32, i64) tail {
;;     region0 = 100663296 "memory 0"
;;
;;                                 block0(v0: i64, v1: i32, v2: i64):
;; @0059                               v3 = uextend.i64 v1
;; @0059                               v4 = iadd v0, v3
;; @0059                               store little region0 v2, v4
;; @005c                               return
;; }
;;
;; function u0:2(i64, i32) -> i32 tail {
;;     region0 = 100663296 "memory 0"
;;
;;                                 block0(v0: i64, v1: i32):
;; @0061                               v2 = uextend.i64 v1
;; @0061                               v3 = iadd v0, v2
;; @0061                               v4 = sload8.i32 little region0 v3
;; @0064                               return v4
;; }
;;
;; function u0:3(i64, i32) -> i8x16 tail {
;;     region0 = 100663296 "memory 0"
;;
;;                                 block0(v0: i64, v1: i32):
;; @0069                               v2 = uextend.i64 v1
;; @0069                               v3 = iadd v0, v2
;; @0069                               v4 = load.i8x16 little region0 v3
;; @006d                               return v4
;; }
