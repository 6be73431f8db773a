;; A copy of any length calls a stub, which does short ones by itself and the rest in the runtime.
;;@ show: stubs
(module
  (memory 1)
  (func $copy (param i32 i32 i32)
    (memory.copy (local.get 0) (local.get 1) (local.get 2))))
;; ---
;; == x86_64 ==
;; copy:
;;     push rbp
;;     mov rbp, rsp
;;     mov rax, rdx
;;     mov r9, rcx
;;     xor edx, edx
;;     mov ecx, esi
;;     mov r8d, eax
;;     mov rax, r9
;;     mov r9d, eax
;;     mov rsi, rdx
;;     call stub: MemoryCopy
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; stub: MemoryCopy:
;;     push rbp
;;     mov rbp, rsp
;;     mov rax, rsi
;;     or eax, edx
;;     test eax, eax
;;     jne L7
;;     cmp r9, 0x80
;;     ja L7
;;     mov r10, [rdi-8]
;;     cmp r8, rcx
;;     mov r11, rcx
;;     cmovae r11, r8
;;     add r11, r9
;;     cmp r11, r10
;;     ja L7
;;     xor r10, r10
;;     cmp r9, 0x80
;;     cmova r9, r10
;;     cmp r9, 0x41
;;     jae L6
;;     cmp r9, 0x21
;;     jae L5
;;     cmp r9, 0x10
;;     jae L4
;;     cmp r9, 8
;;     jae L3
;;     cmp r9, 4
;;     jae L2
;;     cmp r9, 2
;;     jae L1
;;     test r9, r9
;;     je L0
;;     movzx rax, byte ptr [rdi+r8]
;;     mov [rdi+rcx], al
;;   L0:
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L1:
;;     lea rsi, [rdi+r8]
;;     movzx rax, word ptr [rdi+r8]
;;     mov edx, 2
;;     cmp r9, 2
;;     cmovae rdx, r9
;;     movzx rsi, word ptr [rsi+rdx-2]
;;     lea r8, [rdi+rcx]
;;     mov [rdi+rcx], ax
;;     mov [r8+rdx-2], si
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L2:
;;     lea rsi, [rdi+r8]
;;     mov eax, [rdi+r8]
;;     mov edx, 4
;;     cmp r9, 4
;;     cmovae rdx, r9
;;     mov esi, [rsi+rdx-4]
;;     lea r8, [rdi+rcx]
;;     mov [rdi+rcx], eax
;;     mov [r8+rdx-4], esi
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L3:
;;     lea rsi, [rdi+r8]
;;     mov rax, [rdi+r8]
;;     mov edx, 8
;;     cmp r9, 8
;;     cmovae rdx, r9
;;     mov rsi, [rsi+rdx-8]
;;     lea r8, [rdi+rcx]
;;     mov [rdi+rcx], rax
;;     mov [r8+rdx-8], rsi
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L4:
;;     lea rdx, [rdi+r8]
;;     movdqu xmm0, [rdi+r8]
;;     mov eax, 0x10
;;     cmp r9, 0x10
;;     cmovae rax, r9
;;     movdqu xmm1, [rdx+rax-0x10]
;;     lea rdx, [rdi+rcx]
;;     movdqu [rdi+rcx], xmm0
;;     movdqu [rdx+rax-0x10], xmm1
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L5:
;;     lea rdx, [rdi+r8]
;;     movdqu xmm0, [rdi+r8]
;;     movdqu xmm1, [rdi+r8+0x10]
;;     mov eax, 0x21
;;     cmp r9, 0x21
;;     cmovae rax, r9
;;     movdqu xmm2, [rdx+rax-0x10]
;;     movdqu xmm3, [rdx+rax-0x20]
;;     lea rdx, [rdi+rcx]
;;     movdqu [rdi+rcx], xmm0
;;     movdqu [rdi+rcx+0x10], xmm1
;;     movdqu [rdx+rax-0x10], xmm2
;;     movdqu [rdx+rax-0x20], xmm3
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L6:
;;     lea rdx, [rdi+r8]
;;     movdqu xmm0, [rdi+r8]
;;     movdqu xmm1, [rdi+r8+0x10]
;;     movdqu xmm2, [rdi+r8+0x20]
;;     movdqu xmm3, [rdi+r8+0x30]
;;     mov eax, 0x41
;;     cmp r9, 0x41
;;     cmovae rax, r9
;;     movdqu xmm4, [rdx+rax-0x10]
;;     movdqu xmm5, [rdx+rax-0x20]
;;     movdqu xmm6, [rdx+rax-0x30]
;;     movdqu xmm7, [rdx+rax-0x40]
;;     lea rdx, [rdi+rcx]
;;     movdqu [rdi+rcx], xmm0
;;     movdqu [rdi+rcx+0x10], xmm1
;;     movdqu [rdi+rcx+0x20], xmm2
;;     movdqu [rdi+rcx+0x30], xmm3
;;     movdqu [rdx+rax-0x10], xmm4
;;     movdqu [rdx+rax-0x20], xmm5
;;     movdqu [rdx+rax-0x30], xmm6
;;     movdqu [rdx+rax-0x40], xmm7
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L7:
;;     mov rax, [rdi-0x18]
;;     mov r10, rsp
;;     cmp r10, [rax]
;;     jb L8
;;     mov rax, [rdi-0x20]
;;     mov rax, [rax+8]
;;     call rax
;;     test eax, eax
;;     jne L9
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L8:
;;     ud2  ; trap: call stack exhausted
;;   L9:
;;     ud2  ; trap: out of bounds memory access
;; == aarch64 ==
;; copy:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov x12, x5
;;     mov x13, x4
;;     mov w4, #0x0
;;     mov w5, w3
;;     mov w6, w13
;;     mov w7, w12
;;     mov x3, x4
;;     bl stub: MemoryCopy
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; stub: MemoryCopy:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     orr w0, w3, w4
;;     mov x8, x4
;;     mov x9, x3
;;     cbnz w0, L7
;;     cmp x7, #0x80
;;     b.hi L8
;;     ldur x0, [x2, #-0x8]
;;     cmp x5, x6
;;     csel x1, x5, x6, hi
;;     add x1, x1, x7
;;     cmp x1, x0
;;     b.hi L9
;;     mov x0, #0x0
;;     cmp x7, #0x80
;;     csel x0, x0, x7, hi
;;     csdb
;;     cmp x0, #0x41
;;     b.hs L6
;;     cmp x0, #0x21
;;     b.hs L5
;;     cmp x0, #0x10
;;     b.hs L4
;;     cmp x0, #0x8
;;     b.hs L3
;;     cmp x0, #0x4
;;     b.hs L2
;;     cmp x0, #0x2
;;     b.hs L1
;;     cbz x0, L0
;;     ldrb w3, [x2, x6]
;;     strb w3, [x2, x5]
;;   L0:
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L1:
;;     add x8, x2, x6
;;     ldrh w6, [x2, x6]
;;     mov x7, #0x2
;;     cmp x0, #0x2
;;     csel x7, x0, x7, hs
;;     csdb
;;     mov x9, #0xfffffffffffffffe
;;     add x8, x8, x9
;;     ldrh w9, [x8, x7]
;;     add x8, x2, x5
;;     strh w6, [x2, x5]
;;     mov x10, #0xfffffffffffffffe
;;     add x10, x8, x10
;;     strh w9, [x10, x7]
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L2:
;;     add x12, x2, x6
;;     ldr w10, [x2, x6]
;;     mov x11, #0x4
;;     cmp x0, #0x4
;;     csel x11, x0, x11, hs
;;     csdb
;;     mov x13, #0xfffffffffffffffc
;;     add x12, x12, x13
;;     ldr w14, [x12, x11]
;;     add x12, x2, x5
;;     str w10, [x2, x5]
;;     mov x13, #0xfffffffffffffffc
;;     add x15, x12, x13
;;     str w14, [x15, x11]
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L3:
;;     add x1, x2, x6
;;     ldr x15, [x2, x6]
;;     mov x3, #0x8
;;     cmp x0, #0x8
;;     csel x0, x0, x3, hs
;;     csdb
;;     mov x3, #0xfffffffffffffff8
;;     add x1, x1, x3
;;     ldr x1, [x1, x0]
;;     add x3, x2, x5
;;     str x15, [x2, x5]
;;     mov x2, #0xfffffffffffffff8
;;     add x2, x3, x2
;;     str x1, [x2, x0]
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L4:
;;     add x1, x2, x6
;;     ldr q20, [x2, x6]
;;     mov x3, #0x10
;;     cmp x0, #0x10
;;     csel x0, x0, x3, hs
;;     csdb
;;     mov x3, #0xfffffffffffffff0
;;     add x1, x1, x3
;;     ldr q24, [x1, x0]
;;     add x1, x2, x5
;;     str q20, [x2, x5]
;;     mov x2, #0xfffffffffffffff0
;;     add x1, x1, x2
;;     str q24, [x1, x0]
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L5:
;;     add x1, x2, x6
;;     ldr q25, [x2, x6]
;;     ldr q26, [x1, #0x10]
;;     mov x3, #0x21
;;     cmp x0, #0x21
;;     csel x0, x0, x3, hs
;;     csdb
;;     mov x3, #0xfffffffffffffff0
;;     add x3, x1, x3
;;     ldr q29, [x3, x0]
;;     mov x3, #0xffffffffffffffe0
;;     add x1, x1, x3
;;     ldr q30, [x1, x0]
;;     add x1, x2, x5
;;     str q25, [x2, x5]
;;     str q26, [x1, #0x10]
;;     mov x2, #0xfffffffffffffff0
;;     add x2, x1, x2
;;     str q29, [x2, x0]
;;     mov x2, #0xffffffffffffffe0
;;     add x1, x1, x2
;;     str q30, [x1, x0]
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L6:
;;     add x1, x2, x6
;;     ldr q0, [x2, x6]
;;     ldr q1, [x1, #0x10]
;;     ldr q2, [x1, #0x20]
;;     ldr q3, [x1, #0x30]
;;     mov x3, #0x41
;;     cmp x0, #0x41
;;     csel x0, x0, x3, hs
;;     csdb
;;     mov x3, #0xfffffffffffffff0
;;     add x3, x1, x3
;;     ldr q4, [x3, x0]
;;     mov x3, #0xffffffffffffffe0
;;     add x3, x1, x3
;;     ldr q5, [x3, x0]
;;     mov x3, #0xffffffffffffffd0
;;     add x3, x1, x3
;;     ldr q6, [x3, x0]
;;     mov x3, #0xffffffffffffffc0
;;     add x1, x1, x3
;;     ldr q7, [x1, x0]
;;     add x1, x2, x5
;;     str q0, [x2, x5]
;;     str q1, [x1, #0x10]
;;     str q2, [x1, #0x20]
;;     str q3, [x1, #0x30]
;;     mov x2, #0xfffffffffffffff0
;;     add x2, x1, x2
;;     str q4, [x2, x0]
;;     mov x2, #0xffffffffffffffe0
;;     add x2, x1, x2
;;     str q5, [x2, x0]
;;     mov x2, #0xffffffffffffffd0
;;     add x2, x1, x2
;;     str q6, [x2, x0]
;;     mov x2, #0xffffffffffffffc0
;;     add x1, x1, x2
;;     str q7, [x1, x0]
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L7:
;;     mov x4, x6
;;     mov x3, x5
;;     mov x5, x7
;;     b L10
;;   L8:
;;     mov x4, x6
;;     mov x3, x5
;;     mov x5, x7
;;     b L10
;;   L9:
;;     mov x4, x6
;;     mov x3, x5
;;     mov x5, x7
;;   L10:
;;     ldur x0, [x2, #-0x18]
;;     ldr x0, [x0]
;;     mov x1, sp
;;     cmp x1, x0
;;     b.lo L11
;;     ldur x0, [x2, #-0x20]
;;     mov x1, x2
;;     ldr x6, [x0, #0x8]
;;     mov x2, x8
;;     mov x0, x1
;;     mov x1, x9
;;     blr x6
;;     cbnz w0, L12
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L11:
;;     udf #0xc11f  ; trap: call stack exhausted
;;   L12:
;;     udf #0xc11f  ; trap: out of bounds memory access
