;; Tests of lanes. x86-64 moves masks to an integer register; aarch64 reduces in vector registers.
(module
  (func $bitmask8 (param v128) (result i32) (i8x16.bitmask (local.get 0)))
  (func $bitmask32 (param v128) (result i32) (i32x4.bitmask (local.get 0)))
  (func $any (param v128) (result i32) (v128.any_true (local.get 0)))
  (func $all16 (param v128) (result i32) (i16x8.all_true (local.get 0))))
;; ---
;; == x86_64 ==
;; bitmask8:
;;     push rbp
;;     mov rbp, rsp
;;     pmovmskb eax, xmm0
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; bitmask32:
;;     push rbp
;;     mov rbp, rsp
;;     movmskps eax, xmm0
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; any:
;;     push rbp
;;     mov rbp, rsp
;;     ptest xmm0, xmm0
;;     setne sil
;;     movzx eax, sil
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; all16:
;;     push rbp
;;     mov rbp, rsp
;;     pxor xmm4, xmm4
;;     pcmpeqw xmm0, xmm4
;;     ptest xmm0, xmm0
;;     sete r10b
;;     movzx eax, r10b
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; bitmask8:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     sshr v2.16b, v0.16b, #0x7
;;     mov x7, #0x201
;;     movk x7, #0x804, lsl #16
;;     movk x7, #0x2010, lsl #32
;;     movk x7, #0x8040, lsl #48
;;     dup v16.2d, x7
;;     and v16.16b, v2.16b, v16.16b
;;     ext v17.16b, v16.16b, v16.16b, #0x8
;;     zip1 v18.16b, v16.16b, v17.16b
;;     addv h20, v18.8h
;;     umov w2, v20.h[0]
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; bitmask32:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     sshr v2.4s, v0.4s, #0x1f
;;     ldr q4, L0
;;     and v6.16b, v2.16b, v4.16b
;;     addv s16, v6.4s
;;     mov w2, v16.s[0]
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     .byte 01 00 00 00 02 00 00 00 04 00 00 00 08 00 00 00
;;
;; any:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     umaxp v3.4s, v0.4s, v0.4s
;;     mov x5, v3.d[0]
;;     cmp x5, #0x0
;;     cset x8, ne
;;     uxtb w2, w8
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; all16:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     uminv h3, v0.8h
;;     mov x5, v3.d[0]
;;     cmp x5, #0x0
;;     cset x8, ne
;;     uxtb w2, w8
;;     ldp x29, x30, [sp], #0x10
;;     ret
