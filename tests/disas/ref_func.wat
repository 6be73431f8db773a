;; A reference to a function is the address of its record in the context. A test for null is a
;; comparison with zero.
(module
  (func $f)
  (elem declare func $f)
  (func $ref (result funcref) (ref.func $f))
  (func $is_null (param funcref) (result i32) (ref.is_null (local.get 0)))
  (func $null (result externref) (ref.null extern)))
;; ---
;; == x86_64 ==
;; f:
;;     push rbp
;;     mov rbp, rsp
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; ref:
;;     push rbp
;;     mov rbp, rsp
;;     lea rax, [rdi-0x60]
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; is_null:
;;     push rbp
;;     mov rbp, rsp
;;     test rsi, rsi
;;     sete sil
;;     movzx eax, sil
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; null:
;;     push rbp
;;     mov rbp, rsp
;;     xor rax, rax
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; f:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; ref:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     sub x2, x2, #0x60
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; is_null:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     cmp x3, #0x0
;;     cset x4, eq
;;     uxtb w2, w4
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; null:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov x2, #0x0
;;     ldp x29, x30, [sp], #0x10
;;     ret
