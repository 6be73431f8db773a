;; x86-64 has no arithmetic shift of 64-bit lanes: the sign is restored from a shifted constant.
;; The count is taken modulo 64.
(module
  (func $shr_s (param v128 i32) (result v128) (i64x2.shr_s (local.get 0) (local.get 1)))
  (func $shr_s_5 (param v128) (result v128) (i64x2.shr_s (local.get 0) (i32.const 5)))
  (func $shr_s_69 (param v128) (result v128) (i64x2.shr_s (local.get 0) (i32.const 69)))
  (func $shr_s_32 (param v128) (result v128) (i64x2.shr_s (local.get 0) (i32.const 32))))
;; ---
;; == x86_64 ==
;; shr_s:
;;     push rbp
;;     mov rbp, rsp
;;     and rsi, 0x3f
;;     movq xmm5, rsi
;;     movdqu xmm1, [rip+L0]
;;     psrlq xmm1, xmm5
;;     psrlq xmm0, xmm5
;;     movdqa xmm2, xmm0
;;     movdqa xmm0, xmm1
;;     pxor xmm0, xmm2
;;     psubq xmm0, xmm1
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     .byte 00 00 00 00 00 00 00 80 00 00 00 00 00 00 00 80
;;
;; shr_s_5:
;;     push rbp
;;     mov rbp, rsp
;;     movdqa xmm2, xmm0
;;     psrad xmm2, 5
;;     pshufd xmm4, xmm2, 0xed
;;     psrlq xmm0, 5
;;     pshufd xmm0, xmm0, 0xe8
;;     punpckldq xmm0, xmm4
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; shr_s_69:
;;     push rbp
;;     mov rbp, rsp
;;     movdqa xmm2, xmm0
;;     psrad xmm2, 5
;;     pshufd xmm4, xmm2, 0xed
;;     psrlq xmm0, 5
;;     pshufd xmm0, xmm0, 0xe8
;;     punpckldq xmm0, xmm4
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; shr_s_32:
;;     push rbp
;;     mov rbp, rsp
;;     pshufd xmm5, xmm0, 0xed
;;     psrad xmm0, 0x1f
;;     pshufd xmm6, xmm0, 0xed
;;     movdqa xmm0, xmm5
;;     punpckldq xmm0, xmm6
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; shr_s:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     and w3, w3, #0x3f
;;     neg x5, x3
;;     dup v7.2d, x5
;;     sshl v0.2d, v0.2d, v7.2d
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; shr_s_5:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     sshr v0.2d, v0.2d, #0x5
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; shr_s_69:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     sshr v0.2d, v0.2d, #0x5
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; shr_s_32:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     sshr v0.2d, v0.2d, #0x20
;;     ldp x29, x30, [sp], #0x10
;;     ret
