;; A division by a constant other than zero and -1 has no check; by a power of two it is a shift,
;; by others a multiplication.
(module
  (func $div_u_8 (param i32) (result i32) (i32.div_u (local.get 0) (i32.const 8)))
  (func $div_u_10 (param i32) (result i32) (i32.div_u (local.get 0) (i32.const 10)))
  (func $div_s_8 (param i32) (result i32) (i32.div_s (local.get 0) (i32.const 8)))
  (func $div_s_10 (param i64) (result i64) (i64.div_s (local.get 0) (i64.const 10)))
  (func $rem_u_16 (param i32) (result i32) (i32.rem_u (local.get 0) (i32.const 16)))
  (func $rem_u_10 (param i32) (result i32) (i32.rem_u (local.get 0) (i32.const 10))))
;; ---
;; == x86_64 ==
;; div_u_8:
;;     push rbp
;;     mov rbp, rsp
;;     mov rax, rsi
;;     shr eax, 3
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; div_u_10:
;;     push rbp
;;     mov rbp, rsp
;;     mov rax, rsi
;;     mul dword ptr [rip+L0]
;;     mov rax, rdx
;;     shr eax, 3
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     .byte cd cc cc cc 00 00 00 00
;;
;; div_s_8:
;;     push rbp
;;     mov rbp, rsp
;;     mov rdi, rsi
;;     sar edi, 2
;;     shr edi, 0x1d
;;     lea eax, [rsi+rdi]
;;     sar eax, 3
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; div_s_10:
;;     push rbp
;;     mov rbp, rsp
;;     mov rax, rsi
;;     imul qword ptr [rip+L0]
;;     sar rdx, 2
;;     mov rsi, rdx
;;     shr rsi, 0x3f
;;     lea rax, [rdx+rsi]
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     .byte 67 66 66 66 66 66 66 66
;;
;; rem_u_16:
;;     push rbp
;;     mov rbp, rsp
;;     mov rax, rsi
;;     and eax, 0xf
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; rem_u_10:
;;     push rbp
;;     mov rbp, rsp
;;     mov rax, rsi
;;     mul dword ptr [rip+L0]
;;     shr edx, 3
;;     imul edi, edx, 0xa
;;     mov rax, rsi
;;     sub eax, edi
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     .byte cd cc cc cc 00 00 00 00
;; == aarch64 ==
;; div_u_8:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     lsr w2, w3, #0x3
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; div_u_10:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov w8, #0xcccd
;;     movk w8, #0xcccc, lsl #16
;;     mov w5, w3
;;     mov w7, w8
;;     mul x9, x5, x7
;;     lsr x11, x9, #0x20
;;     lsr w2, w11, #0x3
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; div_s_8:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     asr w5, w3, #0x2
;;     lsr w5, w5, #0x1d
;;     add w5, w3, w5
;;     asr w2, w5, #0x3
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; div_s_10:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov x9, #0x6667
;;     movk x9, #0x6666, lsl #16
;;     movk x9, #0x6666, lsl #32
;;     movk x9, #0x6666, lsl #48
;;     smulh x9, x3, x9
;;     asr x9, x9, #0x2
;;     lsr x10, x9, #0x3f
;;     add x2, x9, x10
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; rem_u_16:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     and w2, w3, #0xf
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; rem_u_10:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov w10, #0xcccd
;;     movk w10, #0xcccc, lsl #16
;;     mov w7, w3
;;     mov w9, w10
;;     mul x11, x7, x9
;;     lsr x13, x11, #0x20
;;     lsr w10, w13, #0x3
;;     mov w11, #0xa
;;     msub w2, w10, w11, w3
;;     ldp x29, x30, [sp], #0x10
;;     ret
