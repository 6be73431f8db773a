;; A copy of few bytes, whose length is a constant, is inline: all loads stand before the first
;; store, so that the ranges may overlap and a fault leaves nothing behind.
(module
  (memory 1)
  (func $copy_24 (param i32 i32)
    (memory.copy (local.get 0) (local.get 1) (i32.const 24))))
;; ---
;; == x86_64 ==
;; copy_24:
;;     push rbp
;;     mov rbp, rsp
;;     mov r8d, edx
;;     movdqu xmm7, [rdi+r8]  ; trap: out of bounds memory access
;;     movdqu xmm0, [rdi+r8+8]  ; trap: out of bounds memory access
;;     mov r8d, esi
;;     movdqu [rdi+r8+8], xmm0  ; trap: out of bounds memory access
;;     movdqu [rdi+r8], xmm7  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; copy_24:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldr q16, [x2, w4, uxtw]  ; trap: out of bounds memory access
;;     add x8, x2, #0x8
;;     ldr q17, [x8, w4, uxtw]  ; trap: out of bounds memory access
;;     add x9, x2, w3, uxtw
;;     ldrb w9, [x9, #0x17]  ; trap: out of bounds memory access
;;     add x9, x2, #0x8
;;     str q17, [x9, w3, uxtw]  ; trap: out of bounds memory access
;;     str q16, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
