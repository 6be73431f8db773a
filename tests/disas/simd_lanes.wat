;; A lane is extracted or replaced by one instruction, with an extension on x86-64 where the lane
;; is narrow.
(module
  (func $extract8_s (param v128) (result i32) (i8x16.extract_lane_s 5 (local.get 0)))
  (func $extract16_u (param v128) (result i32) (i16x8.extract_lane_u 1 (local.get 0)))
  (func $extract64 (param v128) (result i64) (i64x2.extract_lane 1 (local.get 0)))
  (func $extract_float_0 (param v128) (result f32) (f32x4.extract_lane 0 (local.get 0)))
  (func $replace32 (param v128 i32) (result v128)
    (i32x4.replace_lane 2 (local.get 0) (local.get 1)))
  (func $replace_double (param v128 f64) (result v128)
    (f64x2.replace_lane 1 (local.get 0) (local.get 1))))
;; ---
;; == x86_64 ==
;; extract8_s:
;;     push rbp
;;     mov rbp, rsp
;;     pextrb esi, xmm0, 5
;;     movsx eax, sil
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; extract16_u:
;;     push rbp
;;     mov rbp, rsp
;;     pextrw esi, xmm0, 1
;;     movzx eax, si
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; extract64:
;;     push rbp
;;     mov rbp, rsp
;;     pextrq rax, xmm0, 1
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; extract_float_0:
;;     push rbp
;;     mov rbp, rsp
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; replace32:
;;     push rbp
;;     mov rbp, rsp
;;     pinsrd xmm0, esi, 2
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; replace_double:
;;     push rbp
;;     mov rbp, rsp
;;     movlhps xmm0, xmm1
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; extract8_s:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     smov w2, v0.b[5]
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; extract16_u:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     umov w2, v0.h[1]
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; extract64:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov x2, v0.d[1]
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; extract_float_0:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; replace32:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov v0.s[2], w3
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; replace_double:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov v0.d[1], v1.d[0]
;;     ldp x29, x30, [sp], #0x10
;;     ret
