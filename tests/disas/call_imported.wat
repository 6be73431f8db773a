;; An import is called through its slot in the context: two loads, code and context.
(module
  (import "m" "f" (func $f (param i32) (result i32)))
  (func $caller (param i32) (result i32)
    (i32.add (call $f (local.get 0)) (local.get 0))))
;; ---
;; == x86_64 ==
;; caller:
;;     push rbp
;;     mov rbp, rsp
;;     sub rsp, 0x10
;;     mov [rsp], r12
;;     mov r8, [rdi-0x80]
;;     mov rdi, [rdi-0x78]
;;     mov r12, rsi
;;     call r8
;;     add eax, r12d
;;     mov r12, [rsp]
;;     add rsp, 0x10
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; caller:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     str x19, [sp, #-0x10]!
;;     ldur x6, [x2, #-0x80]
;;     ldur x2, [x2, #-0x78]
;;     mov x19, x3
;;     blr x6
;;     add w2, w2, w19
;;     ldr x19, [sp], #0x10
;;     ldp x29, x30, [sp], #0x10
;;     ret
