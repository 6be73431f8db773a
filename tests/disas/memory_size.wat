;; The size is the length in the context, shifted to pages.
(module
  (memory 1)
  (func $size (result i32) (memory.size)))
;; ---
;; == x86_64 ==
;; size:
;;     push rbp
;;     mov rbp, rsp
;;     mov rax, [rdi-8]
;;     shr rax, 0x10
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; size:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldur x3, [x2, #-0x8]
;;     lsr x2, x3, #0x10
;;     ldp x29, x30, [sp], #0x10
;;     ret
