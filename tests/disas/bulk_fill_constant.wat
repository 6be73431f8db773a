;; A fill of few bytes, whose length and value are constants, is a few stores.
(module
  (memory 1)
  (func $zero_32 (param i32) (memory.fill (local.get 0) (i32.const 0) (i32.const 32)))
  (func $value_16 (param i32 i32) (memory.fill (local.get 0) (local.get 1) (i32.const 16))))
;; ---
;; == x86_64 ==
;; zero_32:
;;     push rbp
;;     mov rbp, rsp
;;     pxor xmm5, xmm5
;;     mov esi, esi
;;     movdqu [rdi+rsi+0x10], xmm5  ; trap: out of bounds memory access
;;     movdqu [rdi+rsi], xmm5  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; value_16:
;;     push rbp
;;     mov rbp, rsp
;;     movd xmm0, edx
;;     pxor xmm1, xmm1
;;     pshufb xmm0, xmm1
;;     mov r8d, esi
;;     movdqu [rdi+r8], xmm0  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; zero_32:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     add x5, x2, w3, uxtw
;;     ldrb w6, [x5, #0x1f]  ; trap: out of bounds memory access
;;     movi v5.16b, #0x0
;;     str q5, [x5, #0x10]  ; trap: out of bounds memory access
;;     str q5, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; value_16:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     add x6, x2, w3, uxtw
;;     ldrb w6, [x6, #0xf]  ; trap: out of bounds memory access
;;     dup v6.16b, w4
;;     str q6, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
