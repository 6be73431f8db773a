;; Parameters that find no register are passed on the stack, and the callee removes them.
(module
  (func $many (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (i32.add (local.get 0) (local.get 9)))
  (func $caller (param i32) (result i32)
    (call $many (i32.const 0) (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4)
      (i32.const 5) (i32.const 6) (i32.const 7) (i32.const 8) (local.get 0))))
;; ---
;; == x86_64 ==
;; many:
;;     push rbp
;;     mov rbp, rsp
;;     mov rdx, [rbp+0x30]
;;     lea eax, [rsi+rdx]
;;     mov rsp, rbp
;;     pop rbp
;;     ret 0x30
;;
;; caller:
;;     push rbp
;;     mov rbp, rsp
;;     sub rsp, 0x40
;;     mov [rsp+0x30], r13
;;     mov [rsp+0x38], r14
;;     mov r14, rsi
;;     xor esi, esi
;;     mov edx, 1
;;     mov ecx, 2
;;     mov r8d, 3
;;     mov r9d, 4
;;     mov eax, 5
;;     mov r10d, 6
;;     mov r11d, 7
;;     mov r13d, 8
;;     mov [rsp], eax
;;     mov [rsp+8], r10d
;;     mov [rsp+0x10], r11d
;;     mov [rsp+0x18], r13d
;;     mov rax, r14
;;     mov [rsp+0x20], eax
;;     call many
;;     sub rsp, 0x30
;;     mov r13, [rsp+0x30]
;;     mov r14, [rsp+0x38]
;;     add rsp, 0x40
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; many:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldur w2, [sp, #0x30]
;;     add w2, w3, w2
;;     ldp x29, x30, [sp], #0x10
;;     add sp, sp, #0x30
;;     ret
;;
;; caller:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     sub sp, sp, #0x30
;;     mov x0, x3
;;     mov w3, #0x0
;;     mov w4, #0x1
;;     mov w5, #0x2
;;     mov w6, #0x3
;;     mov w7, #0x4
;;     mov w12, #0x5
;;     mov w13, #0x6
;;     mov w14, #0x7
;;     mov w15, #0x8
;;     stur w12, [sp]
;;     stur w13, [sp, #0x8]
;;     stur w14, [sp, #0x10]
;;     stur w15, [sp, #0x18]
;;     stur w0, [sp, #0x20]
;;     bl many
;;     sub sp, sp, #0x30
;;     add sp, sp, #0x30
;;     ldp x29, x30, [sp], #0x10
;;     ret
