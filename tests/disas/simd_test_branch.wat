;; A test of lanes that a branch uses is fused with it on x86-64.
(module
  (func $nop)
  (func $any (param v128) (if (v128.any_true (local.get 0)) (then (call $nop))))
  (func $all (param v128) (if (i8x16.all_true (local.get 0)) (then (call $nop)))))
;; ---
;; == x86_64 ==
;; nop:
;;     push rbp
;;     mov rbp, rsp
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; any:
;;     push rbp
;;     mov rbp, rsp
;;     ptest xmm0, xmm0
;;     je L0
;;     call nop
;;   L0:
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; all:
;;     push rbp
;;     mov rbp, rsp
;;     pxor xmm4, xmm4
;;     pcmpeqb xmm0, xmm4
;;     ptest xmm0, xmm0
;;     jne L0
;;     call nop
;;   L0:
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; nop:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; any:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     umaxp v3.4s, v0.4s, v0.4s
;;     mov x5, v3.d[0]
;;     cmp x5, #0x0
;;     cset x8, ne
;;     tst w8, #0xff
;;     b.eq L0
;;     bl nop
;;   L0:
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; all:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     uminv b3, v0.16b
;;     mov x5, v3.d[0]
;;     cmp x5, #0x0
;;     cset x8, ne
;;     tst w8, #0xff
;;     b.eq L0
;;     bl nop
;;   L0:
;;     ldp x29, x30, [sp], #0x10
;;     ret
