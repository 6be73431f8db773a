;; aarch64 has the minimum that WebAssembly has. x86-64 branches for equal operands and NaN.
(module
  (func $min (param f64 f64) (result f64) (f64.min (local.get 0) (local.get 1)))
  (func $max (param f32 f32) (result f32) (f32.max (local.get 0) (local.get 1))))
;; ---
;; == x86_64 ==
;; min:
;;     push rbp
;;     mov rbp, rsp
;;     movdqa xmm4, xmm0
;;     movdqa xmm0, xmm1
;;     ucomisd xmm0, xmm4
;;     jne L1
;;     jp L0
;;     orpd xmm0, xmm4
;;     jmp L2
;;   L0:
;;     addsd xmm0, xmm4
;;     jp L2
;;   L1:
;;     minsd xmm0, xmm4
;;   L2:
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; max:
;;     push rbp
;;     mov rbp, rsp
;;     movdqa xmm4, xmm0
;;     movdqa xmm0, xmm1
;;     ucomiss xmm0, xmm4
;;     jne L1
;;     jp L0
;;     andps xmm0, xmm4
;;     jmp L2
;;   L0:
;;     addss xmm0, xmm4
;;     jp L2
;;   L1:
;;     maxss xmm0, xmm4
;;   L2:
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; min:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     fmin d0, d0, d1
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; max:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     fmax s0, s0, s1
;;     ldp x29, x30, [sp], #0x10
;;     ret
