;; A large branch table has four bytes per entry, and the same code as a small one.
(module
  (func $f (param i32) (result i32)
    (block (block (block (block (block (block (block (block (block (block (block (block (block (block (block (block (block (block (block (block (block (block (block (block 
      (br_table 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 (local.get 0)))
      (return (i32.const 100)))
      (return (i32.const 101)))
      (return (i32.const 102)))
      (return (i32.const 103)))
      (return (i32.const 104)))
      (return (i32.const 105)))
      (return (i32.const 106)))
      (return (i32.const 107)))
      (return (i32.const 108)))
      (return (i32.const 109)))
      (return (i32.const 110)))
      (return (i32.const 111)))
      (return (i32.const 112)))
      (return (i32.const 113)))
      (return (i32.const 114)))
      (return (i32.const 115)))
      (return (i32.const 116)))
      (return (i32.const 117)))
      (return (i32.const 118)))
      (return (i32.const 119)))
      (return (i32.const 120)))
      (return (i32.const 121)))
      (return (i32.const 122)))
    (i32.const 99)))
;; ---
;; == x86_64 ==
;; f:
;;     push rbp
;;     mov rbp, rsp
;;     mov eax, 0x17
;;     mov ecx, esi
;;     cmp ecx, eax
;;     cmovb eax, ecx
;;     lea rcx, [rip+L0]
;;     movsxd rax, [rcx+rax*4]
;;     add rcx, rax
;;     jmp rcx
;;   L0:
;;     .table L23, L22, L21, L20, L19, L18, L17, L16
;;     .table L15, L14, L13, L12, L11, L10, L9, L8
;;     .table L7, L6, L5, L4, L3, L2, L1, L24
;;   L1:
;;     mov eax, 0x7a
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L2:
;;     mov eax, 0x79
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L3:
;;     mov eax, 0x78
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L4:
;;     mov eax, 0x77
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L5:
;;     mov eax, 0x76
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L6:
;;     mov eax, 0x75
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L7:
;;     mov eax, 0x74
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L8:
;;     mov eax, 0x73
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L9:
;;     mov eax, 0x72
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L10:
;;     mov eax, 0x71
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L11:
;;     mov eax, 0x70
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L12:
;;     mov eax, 0x6f
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L13:
;;     mov eax, 0x6e
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L14:
;;     mov eax, 0x6d
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L15:
;;     mov eax, 0x6c
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L16:
;;     mov eax, 0x6b
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L17:
;;     mov eax, 0x6a
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L18:
;;     mov eax, 0x69
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L19:
;;     mov eax, 0x68
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L20:
;;     mov eax, 0x67
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L21:
;;     mov eax, 0x66
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L22:
;;     mov eax, 0x65
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L23:
;;     mov eax, 0x64
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L24:
;;     mov eax, 0x63
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; f:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     cmp w3, #0x17
;;     mov x0, #0x17
;;     csel x0, x3, x0, lo
;;     csdb
;;     adr x1, L0
;;     ldrsw x0, [x1, w0, uxtw #2]
;;     add x1, x1, x0
;;     br x1
;;   L0:
;;     .table L23, L22, L21, L20, L19, L18, L17, L16
;;     .table L15, L14, L13, L12, L11, L10, L9, L8
;;     .table L7, L6, L5, L4, L3, L2, L1, L24
;;   L1:
;;     mov w2, #0x7a
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L2:
;;     mov w2, #0x79
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L3:
;;     mov w2, #0x78
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L4:
;;     mov w2, #0x77
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L5:
;;     mov w2, #0x76
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L6:
;;     mov w2, #0x75
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L7:
;;     mov w2, #0x74
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L8:
;;     mov w2, #0x73
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L9:
;;     mov w2, #0x72
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L10:
;;     mov w2, #0x71
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L11:
;;     mov w2, #0x70
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L12:
;;     mov w2, #0x6f
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L13:
;;     mov w2, #0x6e
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L14:
;;     mov w2, #0x6d
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L15:
;;     mov w2, #0x6c
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L16:
;;     mov w2, #0x6b
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L17:
;;     mov w2, #0x6a
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L18:
;;     mov w2, #0x69
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L19:
;;     mov w2, #0x68
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L20:
;;     mov w2, #0x67
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L21:
;;     mov w2, #0x66
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L22:
;;     mov w2, #0x65
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L23:
;;     mov w2, #0x64
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L24:
;;     mov w2, #0x63
;;     ldp x29, x30, [sp], #0x10
;;     ret
