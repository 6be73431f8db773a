;; A select of floats is a branch on x86-64 and fcsel on aarch64; one of vectors is a branch on
;; both.
(module
  (func $f64 (param f64 f64 i32) (result f64)
    (select (local.get 0) (local.get 1) (local.get 2)))
  (func $v128 (param v128 v128 i32) (result v128)
    (select (local.get 0) (local.get 1) (local.get 2))))
;; ---
;; == x86_64 ==
;; f64:
;;     push rbp
;;     mov rbp, rsp
;;     test esi, esi
;;     movdqa xmm6, xmm0
;;     movdqa xmm0, xmm1
;;     je L0
;;     movaps xmm0, xmm6
;;   L0:
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; v128:
;;     push rbp
;;     mov rbp, rsp
;;     test esi, esi
;;     movdqa xmm6, xmm0
;;     movdqa xmm0, xmm1
;;     je L0
;;     movdqa xmm0, xmm6
;;   L0:
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; f64:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     cmp w3, wzr
;;     fcsel d0, d0, d1, ne
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; v128:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     cmp w3, wzr
;;     b.ne L0
;;     mov v0.16b, v1.16b
;;     b L1
;;   L0:
;;     mov v0.16b, v0.16b
;;   L1:
;;     ldp x29, x30, [sp], #0x10
;;     ret
