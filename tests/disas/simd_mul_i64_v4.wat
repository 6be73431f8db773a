;; With AVX-512 a product of 64-bit lanes is one instruction.
;;@ targets: x86-64-v4
(module
  (func $mul (param v128 v128) (result v128) (i64x2.mul (local.get 0) (local.get 1))))
;; ---
;; == x86-64-v4 ==
;; mul:
;;     push rbp
;;     mov rbp, rsp
;;     vpmullq xmm0, xmm0, xmm1
;;     mov rsp, rbp
;;     pop rbp
;;     ret
