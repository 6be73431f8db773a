;; Short operations of known length are loads, then stores, and trap as those do; others call the
;; runtime. The size is a field of the context.
(module
  (memory 1)
  (func (export "copy16") (param i32 i32)
    (memory.copy (local.get 0) (local.get 1) (i32.const 16)))
  (func (export "copy") (param i32 i32 i32)
    (memory.copy (local.get 0) (local.get 1) (local.get 2)))
  (func (export "fill") (param i32 i32)
    (memory.fill (local.get 0) (i32.const 0) (local.get 1)))
  (func (export "size") (result i32) (memory.size))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))
;; ---
;; function u0:0(i64, i32, i32) tail {
;;     region0 = 100663296 "memory 0"
;;
;;                                 block0(v0: i64, v1: i32, v2: i32):
;; @005d                               v3 = iconst.i32 16
;; @005f                               v4 = uextend.i64 v1
;; @005f                               v5 = iadd v0, v4
;; @005f                               v6 = uextend.i64 v2
;; @005f                               v7 = iadd v0, v6
;; @005f                               v8 = load.i8x16 little region0 v7
;; @005f                               store little region0 v8, v5
;; @0063                               return
;; }
;;
;; function u0:1(i64, i32, i32, i32) tail {
;;     sig0 = (i64, i32, i32, i64, i64, i64) tail
;;     fn0 = colocated u0:6 sig0
;;
;;                                 block0(v0: i64, v1: i32, v2: i32, v3: i32):
;; @006c                               v4 = iconst.i32 0
;; @006c                               v5 = iconst.i32 0
;; @006c                               v6 = uextend.i64 v1
;; @006c                               v7 = uextend.i64 v2
;; @006c                               v8 = uextend.i64 v3
;; @006c                               call fn0(v0, v4, v5, v6, v7, v8)  ; v4 = 0, v5 = 0
;; @0070                               return
;; }
;;
;; function u0:2(i64, i32, i32) tail {
;;     sig0 = (i64, i32, i64, i32, i64) tail
;;     fn0 = colocated u0:7 sig0
;;
;;                                 block0(v0: i64, v1: i32, v2: i32):
;; @0075                               v3 = iconst.i32 0
;; @0079                               v4 = iconst.i32 0
;; @0079                               v5 = uextend.i64 v1
;; @0079                               v6 = uextend.i64 v2
;; @0079                               call fn0(v0, v4, v5, v3, v6)  ; v4 = 0, v3 = 0
;; @007c                               return
;; }
;;
;; function u0:3(i64) -> i32 tail {
;;     region0 = 50331648 "definitions"
;;
;;                                 block0(v0: i64):
;; @007f                               v1 = load.i64 notrap region0 v0-8
;; @007f                               v2 = iconst.i64 16
;; @007f                               v3 = ushr v1, v2  ; v2 = 16
;; @007f                               v4 = ireduce.i32 v3
;; @0081                               return v4
;; }
;;
;; function u0:4(i64, i32) -> i32 tail {
;;     sig0 = (i64, i32, i64) -> i64 tail
;;     fn0 = colocated u0:5 sig0
;;
;;                                 block0(v0: i64, v1: i32):
;; @0086                               v2 = iconst.i32 0
;; @0086                               v3 = uextend.i64 v1
;; @0086                               v4 = call fn0(v0, v2, v3)  ; v2 = 0
;; @0086                               v5 = ireduce.i32 v4
;; @0088                               return v5
;; }
