;; Tables that exist at run time: while a wrong guess of a bound check lasts, the entry is at
;; address zero.
(module
  (table $externs (export "externs") 4 externref)
  (table $funcs (export "funcs") 4 8 funcref)
  (func (export "get") (param i32) (result externref) (table.get $externs (local.get 0)))
  (func (export "set") (param i32 externref) (table.set $externs (local.get 0) (local.get 1)))
  (func (export "func") (param i32) (result funcref) (table.get $funcs (local.get 0)))
  (func (export "set func") (param i32 funcref) (table.set $funcs (local.get 0) (local.get 1))))
;; ---
;; function u0:0(i64, i32) -> i64 tail {
;;     region0 = 50331648 "definitions"
;;     region1 = 117440512 "table 0"
;;
;;                                 block0(v0: i64, v1: i32):
;; @006a                               v2 = uextend.i64 v1
;; @006a                               v3 = load.i64 notrap region0 v0-88
;; @006a                               v4 = icmp uge v2, v3
;; @006a                               trapnz v4, user2
;; @006a                               v5 = load.i64 notrap region0 v0-96
;; @006a                               v6 = iconst.i64 3
;; @006a                               v7 = ishl v2, v6  ; v6 = 3
;; @006a                               v8 = iadd v5, v7
;; @006a                               v9 = iconst.i64 0
;; @006a                               v10 = select_spectre_guard v4, v9, v8  ; v9 = 0
;; @006a                               v11 = load.i64 notrap region1 v10
;; @006c                               return v11
;; }
;;
;; function u0:1(i64, i32, i64) tail {
;;     region0 = 50331648 "definitions"
;;     region1 = 117440512 "table 0"
;;
;;                                 block0(v0: i64, v1: i32, v2: i64):
;; @0073                               v3 = uextend.i64 v1
;; @0073                               v4 = load.i64 notrap region0 v0-88
;; @0073                               v5 = icmp uge v3, v4
;; @0073                               trapnz v5, user2
;; @0073                               v6 = load.i64 notrap region0 v0-96
;; @0073                               v7 = iconst.i64 3
;; @0073                               v8 = ishl v3, v7  ; v7 = 3
;; @0073                               v9 = iadd v6, v8
;; @0073                               v10 = iconst.i64 0
;; @0073                               v11 = select_spectre_guard v5, v10, v9  ; v10 = 0
;; @0073                               store notrap region1 v2, v11
;; @0075                               return
;; }
;;
;; function u0:2(i64, i32) -> i64 tail {
;;     region0 = 50331648 "definitions"
;;     region1 = 117440513 "table 1"
;;
;;                                 block0(v0: i64, v1: i32):
;; @007a                               v2 = uextend.i64 v1
;; @007a                               v3 = load.i64 notrap region0 v0-72
;; @007a                               v4 = icmp uge v2, v3
;; @007a                               trapnz v4, user2
;; @007a                               v5 = load.i64 notrap region0 v0-80
;; @007a                               v6 = iconst.i64 5
;; @007a                               v7 = ishl v2, v6  ; v6 = 5
;; @007a                               v8 = iadd v5, v7
;; @007a                               v9 = iconst.i64 0
;; @007a                               v10 = select_spectre_guard v4, v9, v8  ; v9 = 0
;; @007a                               v11 = load.i64 notrap region1 v10+24
;; @007c                               return v11
;; }
;;
;; function u0:3(i64, i32, i64) tail {
;;     region0 = 50331648 "definitions"
;;     region1 = 117440513 "table 1"
;;     region2 = 0 "constant"
;;     const0 = 0x00000000000000000000000000000000
;;
;;                                 block0(v0: i64, v1: i32, v2: i64):
;; @0083                               v3 = uextend.i64 v1
;; @0083                               v4 = load.i64 notrap region0 v0-72
;; @0083                               v5 = icmp uge v3, v4
;; @0083                               trapnz v5, user2
;; @0083                               v6 = load.i64 notrap region0 v0-80
;; @0083                               v7 = iconst.i64 5
;; @0083                               v8 = ishl v3, v7  ; v7 = 5
;; @0083                               v9 = iadd v6, v8
;; @0083                               v10 = iconst.i64 0
;; @0083                               v11 = select_spectre_guard v5, v10, v9  ; v10 = 0
;; @0083                               v12 = iconst.i64 0
;; @0083                               store notrap region1 v12, v11+16  ; v12 = 0
;; @0083                               brif v2, block2, block1
;;
;;                                 block2:
;; @0083                               v13 = load.i8x16 notrap readonly region2 v2
;; @0083                               store notrap region1 v13, v11
;; @0083                               v14 = load.i8x16 notrap readonly region2 v2+16
;; @0083                               store notrap region1 v14, v11+16
;; @0083                               jump block3
;;
;;                                 block1:
;; @0083                               v15 = vconst.i8x16 const0
;; @0083                               store notrap region1 v15, v11  ; v15 = const0
;; @0083                               store notrap region1 v15, v11+16  ; v15 = const0
;; @0083                               jump block3
;;
;;                                 block3:
;; @0085                               return
;; }
