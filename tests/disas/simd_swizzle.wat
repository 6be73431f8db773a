;; Indices above 15 give zero: x86-64 raises them by a saturating addition first, also constant
;; ones; aarch64 has that by itself.
(module
  (func $f (param v128 v128) (result v128) (i8x16.swizzle (local.get 0) (local.get 1)))
  (func $constant (param v128) (result v128)
    (i8x16.swizzle (local.get 0)
      (v128.const i8x16 15 14 13 12 11 10 9 8 7 6 5 4 3 2 1 0))))
;; ---
;; == x86_64 ==
;; f:
;;     push rbp
;;     mov rbp, rsp
;;     paddusb xmm1, [rip+L0]
;;     pshufb xmm0, xmm1
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     .byte 70 70 70 70 70 70 70 70 70 70 70 70 70 70 70 70
;;
;; constant:
;;     push rbp
;;     mov rbp, rsp
;;     movdqu xmm2, [rip+L0]
;;     paddusb xmm2, [rip+L1]
;;     pshufb xmm0, xmm2
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     .byte 0f 0e 0d 0c 0b 0a 09 08 07 06 05 04 03 02 01 00
;;   L1:
;;     .byte 70 70 70 70 70 70 70 70 70 70 70 70 70 70 70 70
;; == aarch64 ==
;; f:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     tbl v0.16b, {v0.16b}, v1.16b
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; constant:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldr q3, L0
;;     tbl v0.16b, {v0.16b}, v3.16b
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     .byte 0f 0e 0d 0c 0b 0a 09 08 07 06 05 04 03 02 01 00
