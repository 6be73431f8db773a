;; The dot product of 16-bit lanes is one instruction on x86-64 and three on aarch64.
(module
  (func $dot (param v128 v128) (result v128)
    (i32x4.dot_i16x8_s (local.get 0) (local.get 1))))
;; ---
;; == x86_64 ==
;; dot:
;;     push rbp
;;     mov rbp, rsp
;;     pmaddwd xmm0, xmm1
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; dot:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     smull v5.4s, v0.4h, v1.4h
;;     smull2 v6.4s, v0.8h, v1.8h
;;     addp v0.4s, v5.4s, v6.4s
;;     ldp x29, x30, [sp], #0x10
;;     ret
