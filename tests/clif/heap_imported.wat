;; An imported memory is reached through a pointer. It never changes, so of its loads the optimiser
;; keeps one.
(module
  (import "m" "memory" (memory 1))
  (func (export "sum") (param i32) (result i32)
    (i32.add (i32.load (local.get 0)) (i32.load offset=4 (local.get 0)))))
;; ---
;; function u0:0(i64, i32) -> i32 tail {
;;     region0 = 0 "constant"
;;     region1 = 33554432 "imported memories"
;;
;;                                 block0(v0: i64, v1: i32):
;; @0033                               v2 = load.i64 notrap readonly can_move region0 v0-72
;; @0033                               v3 = uextend.i64 v1
;; @0033                               v4 = iadd v2, v3
;; @0033                               v5 = load.i32 little region1 v4
;; @0038                               v6 = load.i64 notrap readonly can_move region0 v0-72
;; @0038                               v7 = uextend.i64 v1
;; @0038                               v8 = iadd v6, v7
;; @0038                               v9 = load.i32 little region1 v8+4
;; @003b                               v10 = iadd v5, v9
;; @003c                               return v10
;; }
