;; Sign operations are logic on bits: no arithmetic touches a NaN.
(module
  (func $abs (param f64) (result f64) (f64.abs (local.get 0)))
  (func $neg (param f32) (result f32) (f32.neg (local.get 0)))
  (func $copysign (param f64 f64) (result f64) (f64.copysign (local.get 0) (local.get 1))))
;; ---
;; == x86_64 ==
;; abs:
;;     push rbp
;;     mov rbp, rsp
;;     mov rdx, 0x7fffffffffffffff
;;     movq xmm4, rdx
;;     andpd xmm0, xmm4
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; neg:
;;     push rbp
;;     mov rbp, rsp
;;     mov edx, 0x80000000
;;     movd xmm4, edx
;;     xorps xmm0, xmm4
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; copysign:
;;     push rbp
;;     mov rbp, rsp
;;     mov rsi, 0x8000000000000000
;;     movq xmm7, rsi
;;     movdqa xmm2, xmm0
;;     movdqa xmm0, xmm7
;;     andnpd xmm0, xmm2
;;     andpd xmm7, xmm1
;;     orpd xmm0, xmm7
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; abs:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     fabs d0, d0
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; neg:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     fneg s0, s0
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; copysign:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ushr d4, d1, #0x3f
;;     sli d0, d4, #0x3f
;;     ldp x29, x30, [sp], #0x10
;;     ret
