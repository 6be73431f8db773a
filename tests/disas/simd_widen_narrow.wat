;; Widening and narrowing use the instructions made for it.
(module
  (func $extend_low_s (param v128) (result v128) (i16x8.extend_low_i8x16_s (local.get 0)))
  (func $extend_high_u (param v128) (result v128) (i32x4.extend_high_i16x8_u (local.get 0)))
  (func $narrow_s (param v128 v128) (result v128)
    (i8x16.narrow_i16x8_s (local.get 0) (local.get 1)))
  (func $narrow_u (param v128 v128) (result v128)
    (i16x8.narrow_i32x4_u (local.get 0) (local.get 1)))
  (func $pairwise (param v128) (result v128) (i32x4.extadd_pairwise_i16x8_s (local.get 0)))
  (func $extmul (param v128 v128) (result v128)
    (i32x4.extmul_low_i16x8_s (local.get 0) (local.get 1))))
;; ---
;; == x86_64 ==
;; extend_low_s:
;;     push rbp
;;     mov rbp, rsp
;;     pmovsxbw xmm0, xmm0
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; extend_high_u:
;;     push rbp
;;     mov rbp, rsp
;;     pxor xmm3, xmm3
;;     punpckhwd xmm0, xmm3
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; narrow_s:
;;     push rbp
;;     mov rbp, rsp
;;     packsswb xmm0, xmm1
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; narrow_u:
;;     push rbp
;;     mov rbp, rsp
;;     packusdw xmm0, xmm1
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; pairwise:
;;     push rbp
;;     mov rbp, rsp
;;     pmaddwd xmm0, [rip+L0]
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     .byte 01 00 01 00 01 00 01 00 01 00 01 00 01 00 01 00
;;
;; extmul:
;;     push rbp
;;     mov rbp, rsp
;;     movdqa xmm5, xmm0
;;     pmullw xmm5, xmm1
;;     pmulhw xmm0, xmm1
;;     movdqa xmm1, xmm0
;;     movdqa xmm0, xmm5
;;     punpcklwd xmm0, xmm1
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; extend_low_s:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     sshll v0.8h, v0.8b, #0x0
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; extend_high_u:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ushll2 v0.4s, v0.8h, #0x0
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; narrow_s:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     sqxtn v0.8b, v0.8h
;;     sqxtn2 v0.16b, v1.8h
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; narrow_u:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     sqxtun v0.4h, v0.4s
;;     sqxtun2 v0.8h, v1.4s
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; pairwise:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     saddlp v0.4s, v0.8h
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; extmul:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     smull v0.4s, v0.4h, v1.4h
;;     ldp x29, x30, [sp], #0x10
;;     ret
