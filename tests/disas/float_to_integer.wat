;; A conversion that traps tells NaN from a value that does not fit: two traps out of line.
(module
  (func $i32_s (param f64) (result i32) (i32.trunc_f64_s (local.get 0)))
  (func $i64_u (param f32) (result i64) (i64.trunc_f32_u (local.get 0))))
;; ---
;; == x86_64 ==
;; i32_s:
;;     push rbp
;;     mov rbp, rsp
;;     cvttsd2si eax, xmm0
;;     cmp eax, 1
;;     jno L0
;;     ucomisd xmm0, xmm0
;;     jp L1
;;     mov rsi, 0xc1e0000000200000
;;     movq xmm3, rsi
;;     ucomisd xmm0, xmm3
;;     jbe L2
;;     xorpd xmm3, xmm3
;;     ucomisd xmm3, xmm0
;;     jb L3
;;   L0:
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L1:
;;     ud2  ; trap: invalid conversion to integer
;;   L2:
;;     ud2  ; trap: integer overflow
;;   L3:
;;     ud2  ; trap: integer overflow
;;
;; i64_u:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, 0x5f000000
;;     movd xmm3, esi
;;     ucomiss xmm0, xmm3
;;     jae L0
;;     jp L2
;;     cvttss2si rax, xmm0
;;     cmp rax, 0
;;     jge L1
;;     ud2  ; trap: integer overflow
;;   L0:
;;     movaps xmm4, xmm0
;;     subss xmm4, xmm3
;;     cvttss2si rax, xmm4
;;     cmp rax, 0
;;     jl L3
;;     mov rsi, 0x8000000000000000
;;     add rax, rsi
;;   L1:
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L2:
;;     ud2  ; trap: invalid conversion to integer
;;   L3:
;;     ud2  ; trap: integer overflow
;; == aarch64 ==
;; i32_s:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     fcmp d0, d0
;;     b.vs L0
;;     ldr d4, L3
;;     fcmp d0, d4
;;     b.le L1
;;     mov x8, #0x41e0000000000000
;;     fmov d16, x8
;;     fcmp d0, d16
;;     b.ge L2
;;     fcvtzs w2, d0
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     udf #0xc11f  ; trap: invalid conversion to integer
;;   L1:
;;     udf #0xc11f  ; trap: integer overflow
;;   L2:
;;     udf #0xc11f  ; trap: integer overflow
;;   L3:
;;     .byte 00 00 20 00 00 00 e0 c1
;;
;; i64_u:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     fcmp s0, s0
;;     b.vs L0
;;     fmov s4, #-1.0
;;     fcmp s0, s4
;;     b.le L1
;;     mov w8, #0x5f800000
;;     fmov s16, w8
;;     fcmp s0, s16
;;     b.ge L2
;;     fcvtzu x2, s0
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     udf #0xc11f  ; trap: invalid conversion to integer
;;   L1:
;;     udf #0xc11f  ; trap: integer overflow
;;   L2:
;;     udf #0xc11f  ; trap: integer overflow
