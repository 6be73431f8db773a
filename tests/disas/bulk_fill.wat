;; A fill of any length calls a stub, which does short ones by itself and the rest in the runtime.
;;@ show: stubs
(module
  (memory 1)
  (func $fill (param i32 i32 i32)
    (memory.fill (local.get 0) (local.get 1) (local.get 2))))
;; ---
;; == x86_64 ==
;; fill:
;;     push rbp
;;     mov rbp, rsp
;;     mov rax, rsi
;;     mov r9, rdx
;;     xor esi, esi
;;     mov edx, eax
;;     mov r8d, ecx
;;     mov rcx, r9
;;     call stub: MemoryFill
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; stub: MemoryFill:
;;     push rbp
;;     mov rbp, rsp
;;     test esi, esi
;;     jne L7
;;     cmp r8, 0x80
;;     ja L7
;;     mov rax, [rdi-8]
;;     lea r9, [rdx+r8]
;;     cmp r9, rax
;;     ja L7
;;     xor rax, rax
;;     cmp r8, 0x80
;;     cmova r8, rax
;;     cmp r8, 0x41
;;     jae L6
;;     cmp r8, 0x21
;;     jae L5
;;     cmp r8, 0x10
;;     jae L4
;;     cmp r8, 8
;;     jae L3
;;     cmp r8, 4
;;     jae L2
;;     cmp r8, 2
;;     jae L1
;;     test r8, r8
;;     je L0
;;     mov [rdi+rdx], cl
;;   L0:
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L1:
;;     movzx eax, cl
;;     imul ax, 0x101
;;     lea rcx, [rdi+rdx]
;;     mov [rdi+rdx], ax
;;     mov edx, 2
;;     cmp r8, 2
;;     cmovae rdx, r8
;;     mov [rcx+rdx-2], ax
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L2:
;;     movzx eax, cl
;;     imul eax, 0x1010101
;;     lea rcx, [rdi+rdx]
;;     mov [rdi+rdx], eax
;;     mov edx, 4
;;     cmp r8, 4
;;     cmovae rdx, r8
;;     mov [rcx+rdx-4], eax
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L3:
;;     movzx rax, cl
;;     imul rax, [rip+L10]
;;     lea rcx, [rdi+rdx]
;;     mov [rdi+rdx], rax
;;     mov edx, 8
;;     cmp r8, 8
;;     cmovae rdx, r8
;;     mov [rcx+rdx-8], rax
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L4:
;;     movd xmm0, ecx
;;     pxor xmm1, xmm1
;;     pshufb xmm0, xmm1
;;     lea rax, [rdi+rdx]
;;     movdqu [rdi+rdx], xmm0
;;     mov ecx, 0x10
;;     cmp r8, 0x10
;;     cmovae rcx, r8
;;     movdqu [rax+rcx-0x10], xmm0
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L5:
;;     movd xmm0, ecx
;;     pxor xmm1, xmm1
;;     pshufb xmm0, xmm1
;;     lea rax, [rdi+rdx]
;;     movdqu [rdi+rdx], xmm0
;;     movdqu [rdi+rdx+0x10], xmm0
;;     mov ecx, 0x21
;;     cmp r8, 0x21
;;     cmovae rcx, r8
;;     movdqu [rax+rcx-0x10], xmm0
;;     movdqu [rax+rcx-0x20], xmm0
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L6:
;;     movd xmm0, ecx
;;     pxor xmm1, xmm1
;;     pshufb xmm0, xmm1
;;     lea rax, [rdi+rdx]
;;     movdqu [rdi+rdx], xmm0
;;     movdqu [rdi+rdx+0x10], xmm0
;;     movdqu [rdi+rdx+0x20], xmm0
;;     movdqu [rdi+rdx+0x30], xmm0
;;     mov ecx, 0x41
;;     cmp r8, 0x41
;;     cmovae rcx, r8
;;     movdqu [rax+rcx-0x10], xmm0
;;     movdqu [rax+rcx-0x20], xmm0
;;     movdqu [rax+rcx-0x30], xmm0
;;     movdqu [rax+rcx-0x40], xmm0
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L7:
;;     mov rax, [rdi-0x18]
;;     mov r9, rsp
;;     cmp r9, [rax]
;;     jb L8
;;     mov rax, [rdi-0x20]
;;     mov rax, [rax+0x10]
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
;;   L10:
;;     .byte 01 01 01 01 01 01 01 01
;; == aarch64 ==
;; fill:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov x9, x4
;;     mov w7, #0x0
;;     mov w4, w3
;;     mov w6, w5
;;     mov x3, x7
;;     mov x5, x9
;;     bl stub: MemoryFill
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; stub: MemoryFill:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     cbnz w3, L7
;;     mov x1, x3
;;     cmp x6, #0x80
;;     b.hi L8
;;     ldur x7, [x2, #-0x8]
;;     add x8, x4, x6
;;     cmp x8, x7
;;     b.hi L9
;;     mov x10, #0x0
;;     cmp x6, #0x80
;;     csel x11, x10, x6, hi
;;     csdb
;;     cmp x11, #0x41
;;     b.hs L6
;;     cmp x11, #0x21
;;     b.hs L5
;;     cmp x11, #0x10
;;     b.hs L4
;;     cmp x11, #0x8
;;     b.hs L3
;;     cmp x11, #0x4
;;     b.hs L2
;;     cmp x11, #0x2
;;     b.hs L1
;;     cbz x11, L0
;;     strb w5, [x2, x4]
;;   L0:
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L1:
;;     uxtb w0, w5
;;     mov w1, #0x101
;;     mul w0, w0, w1
;;     add x1, x2, x4
;;     strh w0, [x2, x4]
;;     mov x2, #0x2
;;     cmp x11, #0x2
;;     csel x2, x11, x2, hs
;;     csdb
;;     mov x3, #0xfffffffffffffffe
;;     add x1, x1, x3
;;     strh w0, [x1, x2]
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L2:
;;     uxtb w0, w5
;;     mov w1, #0x1010101
;;     mul w0, w0, w1
;;     add x1, x2, x4
;;     str w0, [x2, x4]
;;     mov x2, #0x4
;;     cmp x11, #0x4
;;     csel x2, x11, x2, hs
;;     csdb
;;     mov x3, #0xfffffffffffffffc
;;     add x1, x1, x3
;;     str w0, [x1, x2]
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L3:
;;     uxtb w0, w5
;;     mov x1, #0x101010101010101
;;     mul x0, x0, x1
;;     add x1, x2, x4
;;     str x0, [x2, x4]
;;     mov x2, #0x8
;;     cmp x11, #0x8
;;     csel x2, x11, x2, hs
;;     csdb
;;     mov x3, #0xfffffffffffffff8
;;     add x1, x1, x3
;;     str x0, [x1, x2]
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L4:
;;     dup v0.16b, w5
;;     add x0, x2, x4
;;     str q0, [x2, x4]
;;     mov x1, #0x10
;;     cmp x11, #0x10
;;     csel x1, x11, x1, hs
;;     csdb
;;     mov x2, #0xfffffffffffffff0
;;     add x0, x0, x2
;;     str q0, [x0, x1]
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L5:
;;     dup v0.16b, w5
;;     add x0, x2, x4
;;     str q0, [x2, x4]
;;     str q0, [x0, #0x10]
;;     mov x1, #0x21
;;     cmp x11, #0x21
;;     csel x1, x11, x1, hs
;;     csdb
;;     mov x2, #0xfffffffffffffff0
;;     add x2, x0, x2
;;     str q0, [x2, x1]
;;     mov x2, #0xffffffffffffffe0
;;     add x0, x0, x2
;;     str q0, [x0, x1]
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L6:
;;     dup v0.16b, w5
;;     add x0, x2, x4
;;     str q0, [x2, x4]
;;     str q0, [x0, #0x10]
;;     str q0, [x0, #0x20]
;;     str q0, [x0, #0x30]
;;     mov x1, #0x41
;;     cmp x11, #0x41
;;     csel x1, x11, x1, hs
;;     csdb
;;     mov x2, #0xfffffffffffffff0
;;     add x2, x0, x2
;;     str q0, [x2, x1]
;;     mov x2, #0xffffffffffffffe0
;;     add x2, x0, x2
;;     str q0, [x2, x1]
;;     mov x2, #0xffffffffffffffd0
;;     add x2, x0, x2
;;     str q0, [x2, x1]
;;     mov x2, #0xffffffffffffffc0
;;     add x3, x0, x2
;;     str q0, [x3, x1]
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L7:
;;     mov x1, x3
;;     mov x3, x4
;;     mov x7, x5
;;     mov x9, x6
;;     b L10
;;   L8:
;;     mov x3, x4
;;     mov x7, x5
;;     mov x9, x6
;;     b L10
;;   L9:
;;     mov x3, x4
;;     mov x7, x5
;;     mov x9, x6
;;   L10:
;;     ldur x4, [x2, #-0x18]
;;     ldr x4, [x4]
;;     mov x5, sp
;;     cmp x5, x4
;;     b.lo L11
;;     ldur x6, [x2, #-0x20]
;;     mov x0, x2
;;     ldr x6, [x6, #0x10]
;;     mov x4, x9
;;     mov x2, x3
;;     mov x3, x7
;;     blr x6
;;     cbnz w0, L12
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L11:
;;     udf #0xc11f  ; trap: call stack exhausted
;;   L12:
;;     udf #0xc11f  ; trap: out of bounds memory access
