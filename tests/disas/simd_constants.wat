;; Zeros and ones are made in place; other vectors come from the pool behind the code.
(module
  (func $zero (result v128) (v128.const i64x2 0 0))
  (func $ones (result v128) (v128.const i64x2 -1 -1))
  (func $pool (result v128) (v128.const i8x16 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15))
  (func $not (param v128) (result v128) (v128.not (local.get 0)))
  (func $and_not (param v128 v128) (result v128) (v128.andnot (local.get 0) (local.get 1))))
;; ---
;; == x86_64 ==
;; zero:
;;     push rbp
;;     mov rbp, rsp
;;     pxor xmm0, xmm0
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; ones:
;;     push rbp
;;     mov rbp, rsp
;;     pcmpeqd xmm0, xmm0
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; pool:
;;     push rbp
;;     mov rbp, rsp
;;     movdqu xmm0, [rip+L0]
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     .byte 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f
;;
;; not:
;;     push rbp
;;     mov rbp, rsp
;;     pcmpeqd xmm3, xmm3
;;     pxor xmm0, xmm3
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; and_not:
;;     push rbp
;;     mov rbp, rsp
;;     movdqa xmm4, xmm0
;;     movdqa xmm0, xmm1
;;     pandn xmm0, xmm4
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; zero:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     movi v0.16b, #0x0
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; ones:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     movi v0.16b, #0xff
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; pool:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldr q0, L0
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     .byte 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f
;;
;; not:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mvn v0.16b, v0.16b
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; and_not:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     bic v0.16b, v0.16b, v1.16b
;;     ldp x29, x30, [sp], #0x10
;;     ret
