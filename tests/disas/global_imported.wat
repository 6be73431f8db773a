;; An imported global costs a load of its address first, which is not repeated for the second
;; access.
(module
  (import "m" "g" (global $g (mut i64)))
  (func $add (param i64)
    (global.set $g (i64.add (global.get $g) (local.get 0)))))
;; ---
;; == x86_64 ==
;; add:
;;     push rbp
;;     mov rbp, rsp
;;     mov rdi, [rdi-0x50]
;;     add [rdi], rsi
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; add:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldur x5, [x2, #-0x50]
;;     ldr x6, [x5]
;;     add x6, x6, x3
;;     str x6, [x5]
;;     ldp x29, x30, [sp], #0x10
;;     ret
