;; A product of 64-bit lanes is composed of 32-bit products.
(module
  (func $mul (param v128 v128) (result v128) (i64x2.mul (local.get 0) (local.get 1))))
;; ---
;; == x86_64 ==
;; mul:
;;     push rbp
;;     mov rbp, rsp
;;     movdqa xmm2, xmm1
;;     movdqa xmm1, xmm0
;;     psrlq xmm1, 0x20
;;     pmuludq xmm1, xmm2
;;     movdqa xmm7, xmm2
;;     psrlq xmm7, 0x20
;;     movdqa xmm3, xmm0
;;     pmuludq xmm3, xmm7
;;     paddq xmm1, xmm3
;;     psllq xmm1, 0x20
;;     pmuludq xmm0, xmm2
;;     paddq xmm0, xmm1
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; mul:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     rev64 v3.4s, v1.4s
;;     mul v5.4s, v3.4s, v0.4s
;;     xtn v7.2s, v0.2d
;;     addp v17.4s, v5.4s, v5.4s
;;     xtn v16.2s, v1.2d
;;     shll v0.2d, v17.2s, #0x20
;;     umlal v0.2d, v16.2s, v7.2s
;;     ldp x29, x30, [sp], #0x10
;;     ret
