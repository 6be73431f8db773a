;; Arithmetic is one instruction; pmin and pmax are the minimum of x86-64; conversions that
;; saturate are corrected there.
(module
  (func $mul_add (param v128 v128 v128) (result v128)
    (f32x4.add (f32x4.mul (local.get 0) (local.get 1)) (local.get 2)))
  (func $pmin (param v128 v128) (result v128) (f32x4.pmin (local.get 0) (local.get 1)))
  (func $min (param v128 v128) (result v128) (f64x2.min (local.get 0) (local.get 1)))
  (func $trunc_sat (param v128) (result v128) (i32x4.trunc_sat_f32x4_s (local.get 0))))
;; ---
;; == x86_64 ==
;; mul_add:
;;     push rbp
;;     mov rbp, rsp
;;     mulps xmm0, xmm1
;;     addps xmm0, xmm2
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; pmin:
;;     push rbp
;;     mov rbp, rsp
;;     movdqa xmm4, xmm0
;;     movdqa xmm0, xmm1
;;     minps xmm0, xmm4
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; min:
;;     push rbp
;;     mov rbp, rsp
;;     movdqa xmm2, xmm0
;;     minpd xmm0, xmm1
;;     minpd xmm1, xmm2
;;     movdqa xmm2, xmm0
;;     orpd xmm2, xmm1
;;     cmpunordpd xmm0, xmm1
;;     orpd xmm2, xmm0
;;     psrlq xmm0, 0xd
;;     andnpd xmm0, xmm2
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; trunc_sat:
;;     push rbp
;;     mov rbp, rsp
;;     movdqa xmm4, xmm0
;;     cmpeqps xmm4, xmm0
;;     andps xmm0, xmm4
;;     pxor xmm4, xmm0
;;     cvttps2dq xmm1, xmm0
;;     movdqa xmm0, xmm1
;;     pand xmm0, xmm4
;;     psrad xmm0, 0x1f
;;     pxor xmm0, xmm1
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; mul_add:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     fmul v5.4s, v0.4s, v1.4s
;;     fadd v0.4s, v5.4s, v2.4s
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; pmin:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov v6.16b, v0.16b
;;     fcmgt v0.4s, v6.4s, v1.4s
;;     bsl v0.16b, v1.16b, v6.16b
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; min:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     fmin v0.2d, v0.2d, v1.2d
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; trunc_sat:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     fcvtzs v0.4s, v0.4s
;;     ldp x29, x30, [sp], #0x10
;;     ret
