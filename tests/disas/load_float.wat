;; Floats are loaded and stored without a detour through integer registers.
(module
  (memory 1)
  (func $sum (param i32) (result f64)
    (f64.add (f64.load (local.get 0)) (f64.load offset=8 (local.get 0))))
  (func $store (param i32 f32) (f32.store (local.get 0) (local.get 1)))
  (func $bits (param i32) (result i32) (i32.reinterpret_f32 (f32.load (local.get 0)))))
;; ---
;; == x86_64 ==
;; sum:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     movsd xmm0, [rdi+rsi]  ; trap: out of bounds memory access
;;     addsd xmm0, [rdi+rsi+8]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; store:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     movss [rdi+rsi], xmm0  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; bits:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     movss xmm5, [rdi+rsi]  ; trap: out of bounds memory access
;;     movd eax, xmm5
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; sum:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     add x6, x2, w3, uxtw
;;     ldr d6, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     ldr d7, [x6, #0x8]  ; trap: out of bounds memory access
;;     fadd d0, d6, d7
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; store:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     str s0, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; bits:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldr s4, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     mov w2, v4.s[0]
;;     ldp x29, x30, [sp], #0x10
;;     ret
