;; A bitwise selection whose mask is a constant picks each byte from the right operand: the first
;; where the mask has ones. A blend takes its first operand where its mask has zeros.
(module
  (func $constant_mask (param v128 v128) (result v128)
    (v128.bitselect (local.get 0) (local.get 1)
      (v128.const i8x16 -1 0 -1 0 -1 0 -1 0 -1 0 -1 0 -1 0 -1 0)))
  (func $constant_operands (param v128) (result v128)
    (v128.bitselect (v128.const i8x16 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)
      (v128.const i32x4 0 0 0 0) (local.get 0)))
  (func $of_comparison (param v128 v128) (result v128)
    (v128.bitselect (local.get 0) (local.get 1)
      (i8x16.gt_s (local.get 0) (local.get 1))))
  (func $general (param v128 v128 v128) (result v128)
    (v128.bitselect (local.get 0) (local.get 1) (local.get 2))))
;; ---
;; == x86_64 ==
;; constant_mask:
;;     push rbp
;;     mov rbp, rsp
;;     movdqa xmm5, xmm0
;;     movdqu xmm0, [rip+L0]
;;     movdqa xmm6, xmm5
;;     movdqa xmm4, xmm1
;;     pblendvb xmm4, xmm6
;;     movdqa xmm0, xmm4
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     .byte ff 00 ff 00 ff 00 ff 00 ff 00 ff 00 ff 00 ff 00
;;
;; constant_operands:
;;     push rbp
;;     mov rbp, rsp
;;     movdqu xmm2, [rip+L0]
;;     pxor xmm7, xmm7
;;     pand xmm2, xmm0
;;     pandn xmm0, xmm7
;;     por xmm0, xmm2
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     .byte 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10
;;
;; of_comparison:
;;     push rbp
;;     mov rbp, rsp
;;     pmaxsb xmm0, xmm1
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; general:
;;     push rbp
;;     mov rbp, rsp
;;     pand xmm0, xmm2
;;     movdqa xmm7, xmm0
;;     pandn xmm2, xmm1
;;     movdqa xmm1, xmm7
;;     movdqa xmm0, xmm2
;;     por xmm0, xmm1
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; constant_mask:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov v5.16b, v0.16b
;;     movi v0.8h, #0xff
;;     mov v6.16b, v5.16b
;;     bsl v0.16b, v6.16b, v1.16b
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; constant_operands:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldr q4, L0
;;     movi v5.16b, #0x0
;;     bsl v0.16b, v4.16b, v5.16b
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     .byte 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10
;;
;; of_comparison:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     smax v0.16b, v0.16b, v1.16b
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; general:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov v5.16b, v0.16b
;;     mov v0.16b, v2.16b
;;     bsl v0.16b, v5.16b, v1.16b
;;     ldp x29, x30, [sp], #0x10
;;     ret
