;; A global of the module lies in the context, an imported one behind a pointer, and one that never
;; changes is a constant.
(module
  (import "m" "theirs" (global $theirs (mut i32)))
  (global $ours (mut i64) (i64.const 5))
  (global $constant i32 (i32.const 42))
  (func (export "touch") (result i32)
    (global.set $ours (i64.add (global.get $ours) (i64.const 1)))
    (global.set $theirs (global.get $constant))
    (global.get $theirs)))
;; ---
;; function u0:0(i64) -> i32 tail {
;;     region0 = 134217729 "global 1"
;;     region1 = 0 "constant"
;;     region2 = 83886080 "imported globals"
;;
;;                                 block0(v0: i64):
;; @003f                               v1 = load.i64 notrap region0 v0-80
;; @0041                               v2 = iconst.i64 1
;; @0043                               v3 = iadd v1, v2  ; v2 = 1
;; @0044                               store notrap region0 v3, v0-80
;; @0046                               v4 = iconst.i32 42
;; @0048                               v5 = load.i64 notrap readonly can_move region1 v0-96
;; @0048                               store notrap region2 v4, v5  ; v4 = 42
;; @004a                               v6 = load.i64 notrap readonly can_move region1 v0-96
;; @004a                               v7 = load.i32 notrap region2 v6
;; @004c                               return v7
;; }
