;; An element of a table is checked against the length, and a conditional move makes its address
;; zero where the check fails. A function is stored as its whole record.
(module
  (table $x (export "x") 4 externref)
  (table $f (export "f") 4 funcref)
  (func $get (param i32) (result externref) (table.get $x (local.get 0)))
  (func $set (param i32 externref) (table.set $x (local.get 0) (local.get 1)))
  (func $get_function (param i32) (result funcref) (table.get $f (local.get 0)))
  (func $set_function (param i32 funcref) (table.set $f (local.get 0) (local.get 1))))
;; ---
;; == x86_64 ==
;; get:
;;     push rbp
;;     mov rbp, rsp
;;     mov r10, [rdi-0x58]
;;     mov r11d, esi
;;     cmp r11, r10
;;     jae L0
;;     xor rax, rax
;;     mov rcx, r11
;;     shl rcx, 3
;;     add rcx, [rdi-0x60]
;;     cmp r11, r10
;;     cmovae rcx, rax
;;     mov rax, [rcx]
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     ud2  ; trap: out of bounds table access
;;
;; set:
;;     push rbp
;;     mov rbp, rsp
;;     mov r10, [rdi-0x58]
;;     mov r11d, esi
;;     cmp r11, r10
;;     jae L0
;;     xor rax, rax
;;     mov rcx, r11
;;     shl rcx, 3
;;     add rcx, [rdi-0x60]
;;     cmp r11, r10
;;     cmovae rcx, rax
;;     mov [rcx], rdx
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     ud2  ; trap: out of bounds table access
;;
;; get_function:
;;     push rbp
;;     mov rbp, rsp
;;     mov r10, [rdi-0x48]
;;     mov r11d, esi
;;     cmp r11, r10
;;     jae L0
;;     xor rax, rax
;;     mov rcx, r11
;;     shl rcx, 5
;;     add rcx, [rdi-0x50]
;;     cmp r11, r10
;;     cmovae rcx, rax
;;     mov rax, [rcx+0x18]
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     ud2  ; trap: out of bounds table access
;;
;; set_function:
;;     push rbp
;;     mov rbp, rsp
;;     mov rcx, [rdi-0x48]
;;     mov esi, esi
;;     cmp rsi, rcx
;;     jae L2
;;     mov rax, [rdi-0x50]
;;     xor rdi, rdi
;;     mov r8, rsi
;;     shl r8, 5
;;     add rax, r8
;;     cmp rsi, rcx
;;     cmovae rax, rdi
;;     mov qword ptr [rax+0x10], 0
;;     test rdx, rdx
;;     jne L0
;;     pxor xmm0, xmm0
;;     movdqu [rax], xmm0
;;     movdqu [rax+0x10], xmm0
;;     jmp L1
;;   L0:
;;     movdqu xmm0, [rdx]
;;     movdqu [rax], xmm0
;;     movdqu xmm0, [rdx+0x10]
;;     movdqu [rax+0x10], xmm0
;;   L1:
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L2:
;;     ud2  ; trap: out of bounds table access
;; == aarch64 ==
;; get:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldur x9, [x2, #-0x58]
;;     mov w10, w3
;;     cmp x10, x9
;;     b.hs L0
;;     ldur x12, [x2, #-0x60]
;;     mov x11, #0x0
;;     add x12, x12, x10, lsl #3
;;     cmp x10, x9
;;     csel x12, x11, x12, hs
;;     csdb
;;     ldr x2, [x12]
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     udf #0xc11f  ; trap: out of bounds table access
;;
;; set:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldur x9, [x2, #-0x58]
;;     mov w10, w3
;;     cmp x10, x9
;;     b.hs L0
;;     ldur x12, [x2, #-0x60]
;;     mov x11, #0x0
;;     add x12, x12, x10, lsl #3
;;     cmp x10, x9
;;     csel x12, x11, x12, hs
;;     csdb
;;     str x4, [x12]
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     udf #0xc11f  ; trap: out of bounds table access
;;
;; get_function:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldur x9, [x2, #-0x48]
;;     mov w10, w3
;;     cmp x10, x9
;;     b.hs L0
;;     ldur x12, [x2, #-0x50]
;;     mov x11, #0x0
;;     add x12, x12, x10, lsl #5
;;     cmp x10, x9
;;     csel x12, x11, x12, hs
;;     csdb
;;     ldr x2, [x12, #0x18]
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     udf #0xc11f  ; trap: out of bounds table access
;;
;; set_function:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldur x12, [x2, #-0x48]
;;     mov w13, w3
;;     cmp x13, x12
;;     b.hs L2
;;     ldur x15, [x2, #-0x50]
;;     mov x14, #0x0
;;     add x15, x15, x13, lsl #5
;;     cmp x13, x12
;;     csel x15, x14, x15, hs
;;     csdb
;;     str x14, [x15, #0x10]
;;     cbnz x4, L0
;;     movi v18.16b, #0x0
;;     str q18, [x15]
;;     str q18, [x15, #0x10]
;;     b L1
;;   L0:
;;     ldr q21, [x4]
;;     str q21, [x15]
;;     ldr q22, [x4, #0x10]
;;     str q22, [x15, #0x10]
;;   L1:
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L2:
;;     udf #0xc11f  ; trap: out of bounds table access
