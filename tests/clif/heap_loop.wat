;; Inside loops the base of memory is a value of its own, loaded once before them; the context is
;; the base elsewhere, and in functions that branch through a table.
(module
  (memory 1)
  (func (export "sum") (param i32) (result i32) (local i32)
    (loop
      (local.set 1 (i32.add (local.get 1) (i32.load (local.get 0))))
      (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 4)))))
    (i32.store (i32.const 0) (local.get 1))
    (local.get 1))
  (func (export "dispatch") (param i32)
    (loop
      (block (block (br_table 0 1 2 (i32.load8_u (local.get 0)))))
      (local.set 0 (i32.add (local.get 0) (i32.const 1)))
      (br 0))))
;; ---
;; function u0:0(i64, i32) -> i32 tail {
;;     region0 = 0 "constant"
;;     region1 = 100663296 "memory 0"
;;
;;                                 block0(v0: i64, v1: i32):
;;                                     v2 = iconst.i32 0
;; @0039                               jump block1(v2, v1)  ; v2 = 0
;;
;;                                 block1(v3: i32, v4: i32):
;; @003f                               v5 = load.i64 notrap readonly can_move region0 v0-16
;; @003f                               v6 = uextend.i64 v4
;; @003f                               v7 = iadd v5, v6
;; @003f                               v8 = load.i32 little region1 v7
;; @0042                               v9 = iadd v3, v8
;; @0047                               v10 = iconst.i32 4
;; @0049                               v11 = isub v4, v10  ; v10 = 4
;; @004c                               brif v11, block1(v9, v11), block2
;;
;;                                 block2:
;; @004f                               v12 = iconst.i32 0
;; @0053                               store.i32 notrap little region1 v9, v0
;; @0058                               return v9
;; }
;;
;; function u0:1(i64, i32) tail {
;;     region0 = 100663296 "memory 0"
;;
;;                                 block0(v0: i64, v1: i32):
;; @005b                               jump block1(v1)
;;
;;                                 block1(v2: i32):
;;                                     v6 -> v2
;; @0063                               v3 = uextend.i64 v2
;; @0063                               v4 = iadd.i64 v0, v3
;; @0063                               v5 = uload8.i32 little region0 v4
;; @0066                               br_table v5, block1(v2), [block2, block3]
;;
;;                                 block2:
;; @006c                               jump block3
;;
;;                                 block3:
;; @006f                               v7 = iconst.i32 1
;; @0071                               v8 = iadd.i32 v2, v7  ; v7 = 1
;; @0074                               jump block1(v8)
;; }
