;; Results that find no register lie in memory that the caller provides. aarch64 loads them all,
;; used or not.
(module
  (func $many (param i64) (result i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)
    (local.get 0) (local.get 0) (local.get 0) (local.get 0) (local.get 0)
    (local.get 0) (local.get 0) (local.get 0) (local.get 0) (i64.const 9))
  (func $last (param i64) (result i64) (local i64)
    (call $many (local.get 0))
    (local.set 1)
    drop drop drop drop drop drop drop drop drop
    (local.get 1)))
;; ---
;; == x86_64 ==
;; many:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, 9
;;     mov [rdi], rdx
;;     mov [rdi+8], rsi
;;     mov r10, rdx
;;     mov rax, r10
;;     mov rcx, r10
;;     mov rsi, r10
;;     mov rdi, r10
;;     mov r8, r10
;;     mov r9, r10
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; last:
;;     push rbp
;;     mov rbp, rsp
;;     sub rsp, 0x20
;;     mov [rsp+0x10], r12
;;     mov [rsp+0x18], r13
;;     mov rax, rdi
;;     lea rdi, [rsp]
;;     mov rdx, rsi
;;     mov rsi, rax
;;     call many
;;     mov r12, [rsp]
;;     mov r13, [rsp+8]
;;     mov rax, r13
;;     mov r12, [rsp+0x10]
;;     mov r13, [rsp+0x18]
;;     add rsp, 0x20
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; many:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov x4, #0x9
;;     stur x3, [x8]
;;     stur x3, [x8, #0x8]
;;     stur x3, [x8, #0x10]
;;     stur x4, [x8, #0x18]
;;     mov x7, x3
;;     mov x2, x7
;;     mov x4, x7
;;     mov x5, x7
;;     mov x6, x7
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; last:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     stp x21, x22, [sp, #-0x10]!
;;     stp x19, x20, [sp, #-0x10]!
;;     sub sp, sp, #0x20
;;     mov x8, sp
;;     bl many
;;     ldur x21, [sp]
;;     ldur x20, [sp, #0x8]
;;     ldur x19, [sp, #0x10]
;;     ldur x22, [sp, #0x18]
;;     mov x2, x22
;;     add sp, sp, #0x20
;;     ldp x19, x20, [sp], #0x10
;;     ldp x21, x22, [sp], #0x10
;;     ldp x29, x30, [sp], #0x10
;;     ret
