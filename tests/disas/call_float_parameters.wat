;; Floats and vectors travel in vector registers, beside integers in theirs.
(module
  (func $callee (param f32 i32 f64 v128) (result f64)
    (f64.add (local.get 2) (f64.convert_i32_u (local.get 1))))
  (func $caller (param v128) (result f64)
    (call $callee (f32.const 1) (i32.const 2) (f64.const 3) (local.get 0))))
;; ---
;; == x86_64 ==
;; callee:
;;     push rbp
;;     mov rbp, rsp
;;     xorpd xmm7, xmm7
;;     mov r8d, esi
;;     cvtsi2sd xmm7, r8
;;     movdqa xmm0, xmm1
;;     addsd xmm0, xmm7
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; caller:
;;     push rbp
;;     mov rbp, rsp
;;     movdqa xmm2, xmm0
;;     mov r8d, 0x3f800000
;;     movd xmm0, r8d
;;     mov esi, 2
;;     mov r8, 0x4008000000000000
;;     movq xmm1, r8
;;     call callee
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; callee:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ucvtf d4, w3
;;     fadd d0, d1, d4
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; caller:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov v2.16b, v0.16b
;;     fmov s0, #1.0
;;     mov w3, #0x2
;;     fmov d1, #3.0
;;     bl callee
;;     ldp x29, x30, [sp], #0x10
;;     ret
