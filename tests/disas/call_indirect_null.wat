;; A null entry of a table that can change has type zero: the type check finds it, and the trap
;; code is told apart out of line.
(module
  (type $t (func))
  (table (export "t") 4 funcref)
  (func $caller (call_indirect (type $t) (i32.const 2))))
;; ---
;; == x86_64 ==
;; caller:
;;     push rbp
;;     mov rbp, rsp
;;     mov rax, [rdi-0x48]
;;     cmp rax, 2
;;     jbe L1
;;     mov rcx, [rdi-0x50]
;;     xor rdx, rdx
;;     add rcx, 0x40
;;     cmp rax, 2
;;     cmovbe rcx, rdx
;;     mov rax, [rcx+0x10]
;;     cmp rax, [rip+L3]
;;     jne L0
;;     mov rdx, [rcx]
;;     mov rdi, [rcx+8]
;;     xor rcx, rcx
;;     cmp rax, [rip+L3]
;;     cmovne rdx, rcx
;;     call rdx
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     test rax, rax
;;     jne L2
;;     mov qword ptr [rdi-0x38], 3
;;     ud2  ; trap: uninitialized element
;;   L1:
;;     ud2  ; trap: undefined element
;;   L2:
;;     ud2  ; trap: indirect call type mismatch
;;   L3:
;;     .byte 71 09 de a8 48 45 8b e2
;; == aarch64 ==
;; caller:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldur x0, [x2, #-0x48]
;;     cmp x0, #0x2
;;     b.ls L1
;;     ldur x3, [x2, #-0x50]
;;     mov x1, #0x0
;;     add x3, x3, #0x40
;;     cmp x0, #0x2
;;     csel x0, x1, x3, ls
;;     csdb
;;     ldr x1, [x0, #0x10]
;;     mov x3, #0x971
;;     movk x3, #0xa8de, lsl #16
;;     movk x3, #0x4548, lsl #32
;;     movk x3, #0xe28b, lsl #48
;;     cmp x1, x3
;;     b.ne L0
;;     ldr x4, [x0]
;;     ldr x2, [x0, #0x8]
;;     mov x0, #0x0
;;     cmp x1, x3
;;     csel x0, x0, x4, ne
;;     csdb
;;     blr x0
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     cbnz x1, L2
;;     mov x0, #0x3
;;     stur x0, [x2, #-0x38]
;;     udf #0xc11f  ; trap: uninitialized element
;;   L1:
;;     udf #0xc11f  ; trap: undefined element
;;   L2:
;;     udf #0xc11f  ; trap: indirect call type mismatch
