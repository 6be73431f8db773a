;; A load used once becomes a memory operand on x86-64, if nothing between could change the memory.
(module
  (memory 1)
  (func $add (param i32 i32) (result i32)
    (i32.add (local.get 1) (i32.load (local.get 0))))
  (func $used_twice (param i32) (result i32) (local i32)
    (local.set 1 (i32.load (local.get 0)))
    (i32.mul (i32.add (local.get 1) (local.get 0)) (local.get 1)))
  (func $across_store (param i32 i32) (result i32) (local i32)
    (local.set 2 (i32.load (local.get 0)))
    (i32.store (local.get 1) (i32.const 1))
    (i32.add (local.get 1) (local.get 2))))
;; ---
;; == x86_64 ==
;; add:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     mov rax, rdx
;;     add eax, [rdi+rsi]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; used_twice:
;;     push rbp
;;     mov rbp, rsp
;;     mov r8d, esi
;;     mov r9, rsi
;;     mov esi, [rdi+r8]  ; trap: out of bounds memory access
;;     lea eax, [rsi+r9]
;;     imul eax, esi
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; across_store:
;;     push rbp
;;     mov rbp, rsp
;;     mov r8d, esi
;;     mov r8d, [rdi+r8]  ; trap: out of bounds memory access
;;     mov r9d, edx
;;     mov dword ptr [rdi+r9], 1  ; trap: out of bounds memory access
;;     lea eax, [rdx+r8]
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; add:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldr w5, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     add w2, w4, w5
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; used_twice:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldr w5, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     add w6, w5, w3
;;     mul w2, w6, w5
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; across_store:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldr w6, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     mov w7, #0x1
;;     str w7, [x2, w4, uxtw]  ; trap: out of bounds memory access
;;     add w2, w4, w6
;;     ldp x29, x30, [sp], #0x10
;;     ret
