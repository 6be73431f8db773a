;; The host enters through thunks: one takes parameters in registers, the other in an array. Both
;; save what the calling convention of the host keeps, and have the handler that traps leave to.
;;@ show: thunks
(module
  (func $add (export "add") (param i32 i64) (result i64)
    (i64.add (i64.extend_i32_u (local.get 0)) (local.get 1))))
;; ---
;; == x86_64 ==
;; add:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     lea rax, [rsi+rdx]
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; typed entry thunk of type 0:
;;     push rbp
;;     mov rbp, rsp
;;     sub rsp, 0x30
;;     mov [rsp], rbx
;;     mov [rsp+8], r12
;;     mov [rsp+0x10], r13
;;     mov [rsp+0x18], r14
;;     mov [rsp+0x20], r15
;;     call rcx  ; handler: L0
;;     mov rdx, rax
;;     xor rax, rax
;;     mov rbx, [rsp]
;;     mov r12, [rsp+8]
;;     mov r13, [rsp+0x10]
;;     mov r14, [rsp+0x18]
;;     mov r15, [rsp+0x20]
;;     add rsp, 0x30
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     mov eax, 1
;;     xor rdx, rdx
;;     mov rbx, [rsp]
;;     mov r12, [rsp+8]
;;     mov r13, [rsp+0x10]
;;     mov r14, [rsp+0x18]
;;     mov r15, [rsp+0x20]
;;     add rsp, 0x30
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; array entry thunk of type 0:
;;     push rbp
;;     mov rbp, rsp
;;     sub rsp, 0x40
;;     mov [rsp+0x10], rbx
;;     mov [rsp+0x18], r12
;;     mov [rsp+0x20], r13
;;     mov [rsp+0x28], r14
;;     mov [rsp+0x30], r15
;;     mov rcx, rdx
;;     mov [rsp], rsi
;;     mov esi, [rsi]
;;     mov rax, [rsp]
;;     mov rdx, [rax+0x10]
;;     mov rax, rcx
;;     call rax  ; handler: L0
;;     mov rsi, [rsp]
;;     mov [rsi], rax
;;     xor rax, rax
;;     mov rbx, [rsp+0x10]
;;     mov r12, [rsp+0x18]
;;     mov r13, [rsp+0x20]
;;     mov r14, [rsp+0x28]
;;     mov r15, [rsp+0x30]
;;     add rsp, 0x40
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     mov eax, 1
;;     mov rbx, [rsp+0x10]
;;     mov r12, [rsp+0x18]
;;     mov r13, [rsp+0x20]
;;     mov r14, [rsp+0x28]
;;     mov r15, [rsp+0x30]
;;     add rsp, 0x40
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; add:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     add x2, x4, w3, uxtw
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; typed entry thunk of type 0:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     stp x27, x28, [sp, #-0x10]!
;;     stp x25, x26, [sp, #-0x10]!
;;     stp x23, x24, [sp, #-0x10]!
;;     stp x21, x22, [sp, #-0x10]!
;;     stp x19, x20, [sp, #-0x10]!
;;     stp d14, d15, [sp, #-0x10]!
;;     stp d12, d13, [sp, #-0x10]!
;;     stp d10, d11, [sp, #-0x10]!
;;     stp d8, d9, [sp, #-0x10]!
;;     mov x15, x3
;;     mov x4, x2
;;     mov x3, x1
;;     mov x2, x0
;;     blr x15  ; handler: L0
;;     mov x1, x2
;;     mov x0, #0x0
;;     ldp d8, d9, [sp], #0x10
;;     ldp d10, d11, [sp], #0x10
;;     ldp d12, d13, [sp], #0x10
;;     ldp d14, d15, [sp], #0x10
;;     ldp x19, x20, [sp], #0x10
;;     ldp x21, x22, [sp], #0x10
;;     ldp x23, x24, [sp], #0x10
;;     ldp x25, x26, [sp], #0x10
;;     ldp x27, x28, [sp], #0x10
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     mov x0, #0x1
;;     mov x1, #0x0
;;     ldp d8, d9, [sp], #0x10
;;     ldp d10, d11, [sp], #0x10
;;     ldp d12, d13, [sp], #0x10
;;     ldp d14, d15, [sp], #0x10
;;     ldp x19, x20, [sp], #0x10
;;     ldp x21, x22, [sp], #0x10
;;     ldp x23, x24, [sp], #0x10
;;     ldp x25, x26, [sp], #0x10
;;     ldp x27, x28, [sp], #0x10
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; array entry thunk of type 0:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     stp x27, x28, [sp, #-0x10]!
;;     stp x25, x26, [sp, #-0x10]!
;;     stp x23, x24, [sp, #-0x10]!
;;     stp x21, x22, [sp, #-0x10]!
;;     stp x19, x20, [sp, #-0x10]!
;;     stp d14, d15, [sp, #-0x10]!
;;     stp d12, d13, [sp, #-0x10]!
;;     stp d10, d11, [sp, #-0x10]!
;;     stp d8, d9, [sp, #-0x10]!
;;     sub sp, sp, #0x10
;;     mov x15, x2
;;     ldr w3, [x1]
;;     ldr x4, [x1, #0x10]
;;     stur x1, [sp]
;;     mov x2, x0
;;     mov x0, x15
;;     blr x0  ; handler: L0
;;     ldur x1, [sp]
;;     str x2, [x1]
;;     mov x0, #0x0
;;     add sp, sp, #0x10
;;     ldp d8, d9, [sp], #0x10
;;     ldp d10, d11, [sp], #0x10
;;     ldp d12, d13, [sp], #0x10
;;     ldp d14, d15, [sp], #0x10
;;     ldp x19, x20, [sp], #0x10
;;     ldp x21, x22, [sp], #0x10
;;     ldp x23, x24, [sp], #0x10
;;     ldp x25, x26, [sp], #0x10
;;     ldp x27, x28, [sp], #0x10
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     mov x0, #0x1
;;     add sp, sp, #0x10
;;     ldp d8, d9, [sp], #0x10
;;     ldp d10, d11, [sp], #0x10
;;     ldp d12, d13, [sp], #0x10
;;     ldp d14, d15, [sp], #0x10
;;     ldp x19, x20, [sp], #0x10
;;     ldp x21, x22, [sp], #0x10
;;     ldp x23, x24, [sp], #0x10
;;     ldp x25, x26, [sp], #0x10
;;     ldp x27, x28, [sp], #0x10
;;     ldp x29, x30, [sp], #0x10
;;     ret
