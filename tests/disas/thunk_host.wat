;; WebAssembly leaves to the host through the thunk of the type: it compares the stack pointer with
;; the limit, and calls the function in the slot.
;;@ show: thunks
(module
  (import "m" "f" (func $f (param i32 f64) (result i64)))
  (func $caller (param i32 f64) (result i64)
    (call $f (local.get 0) (local.get 1))))
;; ---
;; == x86_64 ==
;; caller:
;;     push rbp
;;     mov rbp, rsp
;;     mov r8, [rdi-0x80]
;;     mov rdi, [rdi-0x78]
;;     call r8
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; host thunk of type 0:
;;     push rbp
;;     mov rbp, rsp
;;     mov r9, [rdi+0x20]
;;     mov r9, [r9-0x18]
;;     mov r10, rsp
;;     cmp r10, [r9]
;;     jb L0
;;     mov r11, [rdi+0x10]
;;     mov rax, rdi
;;     mov rdi, rbp
;;     mov rdx, rsi
;;     mov rsi, rax
;;     call r11
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     ud2  ; trap: call stack exhausted
;; == aarch64 ==
;; caller:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldur x6, [x2, #-0x80]
;;     ldur x2, [x2, #-0x78]
;;     blr x6
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; host thunk of type 0:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldr x10, [x2, #0x20]
;;     ldur x10, [x10, #-0x18]
;;     ldr x10, [x10]
;;     mov x11, sp
;;     cmp x11, x10
;;     b.lo L0
;;     ldr x12, [x2, #0x10]
;;     mov x0, x29
;;     mov x1, x2
;;     mov x2, x3
;;     blr x12
;;     mov x2, x0
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     udf #0xc11f  ; trap: call stack exhausted
