;; Multiplications by constants become shifts and additions where that is less.
(module
  (func $mul_8 (param i32) (result i32) (i32.mul (local.get 0) (i32.const 8)))
  (func $mul_3 (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3)))
  (func $mul_minus_1 (param i64) (result i64) (i64.mul (local.get 0) (i64.const -1)))
  (func $mul_100 (param i32) (result i32) (i32.mul (local.get 0) (i32.const 100)))
  (func $add_shifted (param i64 i64) (result i64)
    (i64.add (local.get 0) (i64.shl (local.get 1) (i64.const 3)))))
;; ---
;; == x86_64 ==
;; mul_8:
;;     push rbp
;;     mov rbp, rsp
;;     mov rax, rsi
;;     shl eax, 3
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; mul_3:
;;     push rbp
;;     mov rbp, rsp
;;     imul eax, esi, 3
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; mul_minus_1:
;;     push rbp
;;     mov rbp, rsp
;;     mov rax, rsi
;;     neg rax
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; mul_100:
;;     push rbp
;;     mov rbp, rsp
;;     imul eax, esi, 0x64
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; add_shifted:
;;     push rbp
;;     mov rbp, rsp
;;     lea rax, [rsi+rdx*8]
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; mul_8:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     lsl w2, w3, #0x3
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; mul_3:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov w4, #0x3
;;     mul w2, w3, w4
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; mul_minus_1:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     neg x2, x3
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; mul_100:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov w4, #0x64
;;     mul w2, w3, w4
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; add_shifted:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     add x2, x3, x4, lsl #3
;;     ldp x29, x30, [sp], #0x10
;;     ret
