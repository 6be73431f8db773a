;; Constants take the shortest form: zero by xor on x86-64, few pieces of 16 bits on aarch64.
(module
  (func $zero (result i32) (i32.const 0))
  (func $minus_one (result i64) (i64.const -1))
  (func $bits_32 (result i64) (i64.const 0xfedcba98))
  (func $bits_64 (result i64) (i64.const 0x123456789abcdef0))
  (func $add_large (param i32) (result i32) (i32.add (local.get 0) (i32.const 0x123456)))
  (func $mask (param i64) (result i64) (i64.and (local.get 0) (i64.const 0x00ff00ff00ff00ff))))
;; ---
;; == x86_64 ==
;; zero:
;;     push rbp
;;     mov rbp, rsp
;;     xor eax, eax
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; minus_one:
;;     push rbp
;;     mov rbp, rsp
;;     mov rax, 0xffffffffffffffff
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; bits_32:
;;     push rbp
;;     mov rbp, rsp
;;     mov eax, 0xfedcba98
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; bits_64:
;;     push rbp
;;     mov rbp, rsp
;;     mov rax, 0x123456789abcdef0
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; add_large:
;;     push rbp
;;     mov rbp, rsp
;;     lea eax, [rsi+0x123456]
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; mask:
;;     push rbp
;;     mov rbp, rsp
;;     mov rax, rsi
;;     and rax, [rip+L0]
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     .byte ff 00 ff 00 ff 00 ff 00
;; == aarch64 ==
;; zero:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov w2, #0x0
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; minus_one:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov x2, #0xffffffffffffffff
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; bits_32:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov w2, #0xba98
;;     movk w2, #0xfedc, lsl #16
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; bits_64:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov x2, #0xdef0
;;     movk x2, #0x9abc, lsl #16
;;     movk x2, #0x5678, lsl #32
;;     movk x2, #0x1234, lsl #48
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; add_large:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov w4, #0x3456
;;     movk w4, #0x12, lsl #16
;;     add w2, w3, w4
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; mask:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     and x2, x3, #0xff00ff00ff00ff
;;     ldp x29, x30, [sp], #0x10
;;     ret
