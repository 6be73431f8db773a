;; A vector in memory is unaligned: it is loaded by an instruction of its own, with and without
;; AVX.
;;@ targets: x86_64 x86-64-v3 aarch64
(module
  (memory 1)
  (func $add (param i32 v128) (result v128)
    (i32x4.add (local.get 1) (v128.load (local.get 0)))))
;; ---
;; == x86_64 ==
;; add:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     movdqu xmm6, [rdi+rsi]  ; trap: out of bounds memory access
;;     paddd xmm0, xmm6
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == x86-64-v3 ==
;; add:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     vmovdqu xmm6, [rdi+rsi]  ; trap: out of bounds memory access
;;     vpaddd xmm0, xmm0, xmm6
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; add:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldr q5, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     add v0.4s, v0.4s, v5.4s
;;     ldp x29, x30, [sp], #0x10
;;     ret
