;; A product of two extended i32 is two extensions and a multiplication of 64 bits. aarch64 fuses a
;; product and a sum.
(module
  (func $mul_32_to_64 (param i32 i32) (result i64)
    (i64.mul (i64.extend_i32_u (local.get 0)) (i64.extend_i32_u (local.get 1))))
  (func $mul_add (param i64 i64 i64) (result i64)
    (i64.add (local.get 2) (i64.mul (local.get 0) (local.get 1)))))
;; ---
;; == x86_64 ==
;; mul_32_to_64:
;;     push rbp
;;     mov rbp, rsp
;;     mov eax, esi
;;     mov esi, edx
;;     imul rax, rsi
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; mul_add:
;;     push rbp
;;     mov rbp, rsp
;;     imul rsi, rdx
;;     lea rax, [rcx+rsi]
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; mul_32_to_64:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov w5, w3
;;     mov w6, w4
;;     mul x2, x5, x6
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; mul_add:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     madd x2, x3, x4, x5
;;     ldp x29, x30, [sp], #0x10
;;     ret
