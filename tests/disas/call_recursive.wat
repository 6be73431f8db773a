;; A function that is part of a cycle of calls compares its stack pointer with the limit; a leaf
;; does not.
(module
  (func $factorial (param i64) (result i64)
    (if (result i64) (i64.eqz (local.get 0))
      (then (i64.const 1))
      (else (i64.mul (local.get 0) (call $factorial (i64.sub (local.get 0) (i64.const 1)))))))
  (func $leaf (param i64) (result i64) (i64.mul (local.get 0) (local.get 0))))
;; ---
;; == x86_64 ==
;; factorial:
;;     push rbp
;;     mov rbp, rsp
;;     sub rsp, 0x10
;;     mov [rsp], r12
;;     mov r9, [rdi-0x18]
;;     mov r10, rsp
;;     cmp r10, [r9]
;;     jb L2
;;     test rsi, rsi
;;     mov r12, rsi
;;     je L0
;;     mov rax, r12
;;     mov rsi, rax
;;     sub rsi, 1
;;     call factorial
;;     mov rsi, r12
;;     imul rsi, rax
;;     mov rax, rsi
;;     jmp L1
;;   L0:
;;     mov eax, 1
;;   L1:
;;     mov r12, [rsp]
;;     add rsp, 0x10
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L2:
;;     ud2  ; trap: call stack exhausted
;;
;; leaf:
;;     push rbp
;;     mov rbp, rsp
;;     mov rax, rsi
;;     imul rax, rsi
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; factorial:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     str x19, [sp, #-0x10]!
;;     ldur x10, [x2, #-0x18]
;;     ldr x10, [x10]
;;     mov x11, sp
;;     cmp x11, x10
;;     b.lo L2
;;     cbz x3, L0
;;     mov x0, x3
;;     sub x3, x0, #0x1
;;     mov x19, x0
;;     bl factorial
;;     mov x3, x19
;;     mul x2, x3, x2
;;     b L1
;;   L0:
;;     mov x2, #0x1
;;   L1:
;;     ldr x19, [sp], #0x10
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L2:
;;     udf #0xc11f  ; trap: call stack exhausted
;;
;; leaf:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mul x2, x3, x3
;;     ldp x29, x30, [sp], #0x10
;;     ret
