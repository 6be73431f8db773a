;; The base of an imported memory never changes: after a call it is still in a register that the
;; callee keeps.
(module
  (import "m" "m" (memory 1))
  (import "m" "f" (func $f))
  (func $load (param i32) (result i32)
    (i32.load (local.get 0))
    (call $f)
    (i32.add (i32.load (local.get 0)))))
;; ---
;; == x86_64 ==
;; load:
;;     push rbp
;;     mov rbp, rsp
;;     sub rsp, 0x20
;;     mov [rsp], r12
;;     mov [rsp+8], r13
;;     mov [rsp+0x10], r14
;;     mov r12, [rdi-0x88]
;;     mov r13d, esi
;;     mov eax, [r12+r13]  ; trap: out of bounds memory access
;;     mov r14, rax
;;     mov r8, [rdi-0x80]
;;     mov rdi, [rdi-0x78]
;;     call r8
;;     mov rax, r14
;;     add eax, [r12+r13]  ; trap: out of bounds memory access
;;     mov r12, [rsp]
;;     mov r13, [rsp+8]
;;     mov r14, [rsp+0x10]
;;     add rsp, 0x20
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; load:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     str x21, [sp, #-0x10]!
;;     stp x19, x20, [sp, #-0x10]!
;;     ldur x19, [x2, #-0x88]
;;     ldr w20, [x19, w3, uxtw]  ; trap: out of bounds memory access
;;     mov x21, x3
;;     ldur x8, [x2, #-0x80]
;;     ldur x2, [x2, #-0x78]
;;     blr x8
;;     mov x3, x21
;;     ldr w9, [x19, w3, uxtw]  ; trap: out of bounds memory access
;;     add w2, w20, w9
;;     ldp x19, x20, [sp], #0x10
;;     ldr x21, [sp], #0x10
;;     ldp x29, x30, [sp], #0x10
;;     ret
