;; Loads and stores of one lane are of the width of the lane.
(module
  (memory 1)
  (func $load8 (param i32 v128) (result v128) (v128.load8_lane 3 (local.get 0) (local.get 1)))
  (func $load64 (param i32 v128) (result v128) (v128.load64_lane 1 (local.get 0) (local.get 1)))
  (func $store16 (param i32 v128) (v128.store16_lane 6 (local.get 0) (local.get 1)))
  (func $store32 (param i32 v128) (v128.store32_lane 0 (local.get 0) (local.get 1)))
  (func $load32_zero (param i32) (result v128) (v128.load32_zero (local.get 0))))
;; ---
;; == x86_64 ==
;; load8:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     pinsrb xmm0, [rdi+rsi], 3  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; load64:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     movsd xmm6, [rdi+rsi]  ; trap: out of bounds memory access
;;     movlhps xmm0, xmm6
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; store16:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     pextrw [rdi+rsi], xmm0, 6  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; store32:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     movss [rdi+rsi], xmm0  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; load32_zero:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     movss xmm0, [rdi+rsi]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; load8:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldrb w5, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     mov v0.b[3], w5
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; load64:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldr d5, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     mov v0.d[1], v5.d[0]
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; store16:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     umov w4, v0.h[6]
;;     strh w4, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; store32:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     str s0, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; load32_zero:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldr s4, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     fmov s0, s4
;;     ldp x29, x30, [sp], #0x10
;;     ret
