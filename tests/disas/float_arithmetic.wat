;; One instruction each; aarch64 does not fuse a product and a sum, since that rounds once.
(module
  (func $mul_add (param f64 f64 f64) (result f64)
    (f64.add (f64.mul (local.get 0) (local.get 1)) (local.get 2)))
  (func $sqrt (param f32) (result f32) (f32.sqrt (local.get 0))))
;; ---
;; == x86_64 ==
;; mul_add:
;;     push rbp
;;     mov rbp, rsp
;;     mulsd xmm0, xmm1
;;     addsd xmm0, xmm2
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; sqrt:
;;     push rbp
;;     mov rbp, rsp
;;     movdqa xmm5, xmm0
;;     xorps xmm0, xmm0
;;     movdqa xmm7, xmm5
;;     sqrtss xmm0, xmm7
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; mul_add:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     fmul d5, d0, d1
;;     fadd d0, d5, d2
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; sqrt:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     fsqrt s0, s0
;;     ldp x29, x30, [sp], #0x10
;;     ret
