;; Blocks, loops and branches become jumps with block parameters; traps are cold.
(module
  (func (export "sum") (param $n i32) (result i32) (local $sum i32)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $sum (i32.add (local.get $sum) (local.get $n)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $next)))
    (local.get $sum))
  (func (export "choose") (param i32) (result i32)
    (block $c (block $b (block $a
      (br_table $a $b $c (local.get 0)))
      (return (i32.const 10)))
      (return (i32.const 20)))
    (i32.const 30))
  (func (export "divide") (param i32 i32) (result i32)
    (i32.div_s (local.get 0) (local.get 1))))
;; ---
;; function u0:0(i64, i32) -> i32 tail {
;;                                 block0(v0: i64, v1: i32):
;;                                     v2 = iconst.i32 0
;; @0040                               jump block1(v1, v2)  ; v2 = 0
;;
;;                                 block1(v3: i32, v7: i32):
;; @0044                               v4 = iconst.i32 0
;; @0044                               v5 = icmp eq v3, v4  ; v4 = 0
;; @0044                               v6 = uextend.i32 v5
;; @0045                               brif v6, block2, block3
;;
;;                                 block3:
;; @004b                               v8 = iadd.i32 v7, v3
;; @0050                               v9 = iconst.i32 1
;; @0052                               v10 = isub.i32 v3, v9  ; v9 = 1
;; @0055                               jump block1(v10, v8)
;;
;;                                 block2:
;; @005b                               return v7
;; }
;;
;; function u0:1(i64, i32) -> i32 tail {
;;                                 block0(v0: i64, v1: i32):
;; @0066                               br_table v1, block1, [block2, block3]
;;
;;                                 block2:
;; @006c                               v2 = iconst.i32 10
;; @006e                               return v2  ; v2 = 10
;;
;;                                 block3:
;; @0070                               v3 = iconst.i32 20
;; @0072                               return v3  ; v3 = 20
;;
;;                                 block1:
;; @0074                               v4 = iconst.i32 30
;; @0076                               return v4  ; v4 = 30
;; }
;;
;; function u0:2(i64, i32, i32) -> i32 tail {
;;                                 block0(v0: i64, v1: i32, v2: i32):
;; @007d                               v3 = sdiv v1, v2
;; @007e                               return v3
;; }
