;; A load is sunk only into an instruction that reads as many bytes: a byte, a half word and a
;; float below a vector operation stay loads of their own.
(module
  (memory 1)
  (func $byte (param i32 i32) (result i32)
    (i32.add (local.get 1) (i32.load8_u (local.get 0))))
  (func $half (param i32 i64) (result i64)
    (i64.xor (local.get 1) (i64.load16_s (local.get 0))))
  (func $word (param i32 i64) (result i64)
    (i64.add (local.get 1) (i64.load32_u (local.get 0))))
  (func $float (param i32 v128) (result v128)
    (f32x4.add (local.get 1) (f32x4.splat (f32.load (local.get 0)))))
  (func $lane (param i32 v128) (result v128)
    (v128.and (local.get 1) (v128.load64_zero (local.get 0))))
  (func $promote (param i32) (result f64)
    (f64.promote_f32 (f32.load (local.get 0))))
  (func $convert (param i32) (result f64)
    (f64.convert_i32_s (i32.load (local.get 0)))))
;; ---
;; == x86_64 ==
;; byte:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     movzx rsi, byte ptr [rdi+rsi]  ; trap: out of bounds memory access
;;     lea eax, [rdx+rsi]
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; half:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     movsx rsi, word ptr [rdi+rsi]  ; trap: out of bounds memory access
;;     mov rax, rdx
;;     xor rax, rsi
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; word:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     mov esi, [rdi+rsi]  ; trap: out of bounds memory access
;;     lea rax, [rdx+rsi]
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; float:
;;     push rbp
;;     mov rbp, rsp
;;     mov r8d, esi
;;     movss xmm7, [rdi+r8]  ; trap: out of bounds memory access
;;     shufps xmm7, xmm7, 0
;;     addps xmm0, xmm7
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; lane:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     movsd xmm6, [rdi+rsi]  ; trap: out of bounds memory access
;;     pand xmm0, xmm6
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; promote:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     xorpd xmm0, xmm0
;;     cvtss2sd xmm0, [rdi+rsi]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; convert:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     xorpd xmm0, xmm0
;;     cvtsi2sd xmm0, dword ptr [rdi+rsi]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; byte:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldrb w5, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     add w2, w4, w5
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; half:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldrsh x5, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     eor x2, x4, x5
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; word:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldr w5, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     add x2, x4, x5
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; float:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     add x6, x2, w3, uxtw
;;     ld1r {v6.4s}, [x6]  ; trap: out of bounds memory access
;;     fadd v0.4s, v0.4s, v6.4s
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; lane:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldr d6, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     fmov d6, d6
;;     and v0.16b, v0.16b, v6.16b
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; promote:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldr s4, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     fcvt d0, s4
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; convert:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldr w4, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     scvtf d0, w4
;;     ldp x29, x30, [sp], #0x10
;;     ret
