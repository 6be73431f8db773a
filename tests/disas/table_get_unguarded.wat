;; Without guards an element of a table costs a comparison, a branch and a load.
;;@ guards: off
(module
  (table $x (export "x") 4 externref)
  (func $get (param i32) (result externref) (table.get $x (local.get 0))))
;; ---
;; == x86_64 ==
;; get:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     cmp rsi, [rdi-0x48]
;;     jae L0
;;     mov rdi, [rdi-0x50]
;;     mov rax, [rdi+rsi*8]
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     ud2  ; trap: out of bounds table access
;; == aarch64 ==
;; get:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldur x6, [x2, #-0x48]
;;     mov w7, w3
;;     cmp x7, x6
;;     b.hs L0
;;     ldur x8, [x2, #-0x50]
;;     ldr x2, [x8, w3, uxtw #3]
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     udf #0xc11f  ; trap: out of bounds table access
