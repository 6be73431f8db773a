;; In a table that can change, a call compares index and length, then the type, and loads code and
;; context from the entry. Both checks have a conditional move.
(module
  (type $t (func (param i32) (result i32)))
  (table (export "t") 4 funcref)
  (func $caller (param i32 i32) (result i32)
    (call_indirect (type $t) (local.get 0) (local.get 1))))
;; ---
;; == x86_64 ==
;; caller:
;;     push rbp
;;     mov rbp, rsp
;;     mov rcx, [rdi-0x48]
;;     mov eax, edx
;;     cmp rax, rcx
;;     jae L1
;;     mov rdx, [rdi-0x50]
;;     xor r8, r8
;;     mov r9, rax
;;     shl r9, 5
;;     add rdx, r9
;;     cmp rax, rcx
;;     cmovae rdx, r8
;;     mov rcx, [rdx+0x10]
;;     cmp rcx, [rip+L3]
;;     jne L0
;;     mov rax, [rdx]
;;     mov rdi, [rdx+8]
;;     xor rdx, rdx
;;     cmp rcx, [rip+L3]
;;     cmovne rax, rdx
;;     call rax
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     test rcx, rcx
;;     jne L2
;;     add rax, 1
;;     mov [rdi-0x38], rax
;;     ud2  ; trap: uninitialized element
;;   L1:
;;     ud2  ; trap: undefined element
;;   L2:
;;     ud2  ; trap: indirect call type mismatch
;;   L3:
;;     .byte f8 c5 0c 11 68 84 80 52
;; == aarch64 ==
;; caller:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldur x1, [x2, #-0x48]
;;     mov w0, w4
;;     cmp x0, x1
;;     b.hs L1
;;     ldur x5, [x2, #-0x50]
;;     mov x4, #0x0
;;     add x5, x5, x0, lsl #5
;;     cmp x0, x1
;;     csel x1, x4, x5, hs
;;     csdb
;;     ldr x4, [x1, #0x10]
;;     mov x5, #0xc5f8
;;     movk x5, #0x110c, lsl #16
;;     movk x5, #0x8468, lsl #32
;;     movk x5, #0x5280, lsl #48
;;     cmp x4, x5
;;     b.ne L0
;;     ldr x0, [x1]
;;     ldr x2, [x1, #0x8]
;;     mov x1, #0x0
;;     cmp x4, x5
;;     csel x0, x1, x0, ne
;;     csdb
;;     blr x0
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     cbnz x4, L2
;;     add x0, x0, #0x1
;;     stur x0, [x2, #-0x38]
;;     udf #0xc11f  ; trap: uninitialized element
;;   L1:
;;     udf #0xc11f  ; trap: undefined element
;;   L2:
;;     udf #0xc11f  ; trap: indirect call type mismatch
