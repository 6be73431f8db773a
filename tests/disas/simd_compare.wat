;; Comparisons that x86-64 lacks are composed: unsigned ones of minimum and equality, others of the
;; opposite.
(module
  (func $gt_s (param v128 v128) (result v128) (i32x4.gt_s (local.get 0) (local.get 1)))
  (func $lt_u (param v128 v128) (result v128) (i8x16.lt_u (local.get 0) (local.get 1)))
  (func $ge_s_64 (param v128 v128) (result v128) (i64x2.ge_s (local.get 0) (local.get 1)))
  (func $ne (param v128 v128) (result v128) (i16x8.ne (local.get 0) (local.get 1)))
  (func $float_lt (param v128 v128) (result v128) (f32x4.lt (local.get 0) (local.get 1))))
;; ---
;; == x86_64 ==
;; gt_s:
;;     push rbp
;;     mov rbp, rsp
;;     pcmpgtd xmm0, xmm1
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; lt_u:
;;     push rbp
;;     mov rbp, rsp
;;     pminub xmm0, xmm1
;;     pcmpeqb xmm0, xmm1
;;     pcmpeqd xmm1, xmm1
;;     pxor xmm0, xmm1
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; ge_s_64:
;;     push rbp
;;     mov rbp, rsp
;;     pcmpgtq xmm1, xmm0
;;     pcmpeqd xmm6, xmm6
;;     movdqa xmm0, xmm1
;;     pxor xmm0, xmm6
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; ne:
;;     push rbp
;;     mov rbp, rsp
;;     pcmpeqw xmm0, xmm1
;;     pcmpeqd xmm6, xmm6
;;     pxor xmm0, xmm6
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; float_lt:
;;     push rbp
;;     mov rbp, rsp
;;     cmpltps xmm0, xmm1
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; gt_s:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     cmgt v0.4s, v0.4s, v1.4s
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; lt_u:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     cmhi v0.16b, v1.16b, v0.16b
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; ge_s_64:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     cmge v0.2d, v0.2d, v1.2d
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; ne:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     cmeq v3.8h, v0.8h, v1.8h
;;     mvn v0.16b, v3.16b
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; float_lt:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     fcmgt v0.4s, v1.4s, v0.4s
;;     ldp x29, x30, [sp], #0x10
;;     ret
