;; A loop that grows its memory reads the length again for each check.
(module
  (memory 1)
  (func $f (param $p i32) (result i32) (local $s i32)
    (loop $next
      (local.set $s (i32.add (local.get $s) (i32.load offset=0xf0000000 (local.get $p))))
      (br_if $next (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
    (local.get $s)))
;; ---
;; == x86_64 ==
;; f:
;;     push rbp
;;     mov rbp, rsp
;;     sub rsp, 0x40
;;     mov [rsp+0x10], rbx
;;     mov [rsp+0x18], r12
;;     mov [rsp+0x20], r13
;;     mov [rsp+0x28], r14
;;     mov [rsp+0x30], r15
;;     xor eax, eax
;;     mov [rsp], rax
;;     mov ebx, esi
;;     mov r13d, 0xf0000004
;;     mov [rsp+8], r13
;;     mov rax, [rdi-0x10]
;;     lea r13, [rax+rbx]
;;     mov r14d, 0xf0000000
;;     mov r15, rdi
;;   L0:
;;     mov rcx, [r15-8]
;;     mov rdi, [rsp+8]
;;     lea rdx, [rbx+rdi]
;;     cmp rdx, rcx
;;     ja L1
;;     xor rsi, rsi
;;     lea rdi, [r13+r14]
;;     cmp rdx, rcx
;;     cmova rdi, rsi
;;     mov r12d, [rdi]  ; trap: out of bounds memory access
;;     xor esi, esi
;;     mov edx, 1
;;     mov rdi, r15
;;     call stub: MemoryGrow
;;     mov rcx, [rsp]
;;     add ecx, r12d
;;     mov [rsp], rcx
;;     cmp eax, 0xffffffff
;;     jne L0
;;     mov rax, [rsp]
;;     mov rbx, [rsp+0x10]
;;     mov r12, [rsp+0x18]
;;     mov r13, [rsp+0x20]
;;     mov r14, [rsp+0x28]
;;     mov r15, [rsp+0x30]
;;     add rsp, 0x40
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L1:
;;     ud2  ; trap: out of bounds memory access
;; == aarch64 ==
;; f:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     str x26, [sp, #-0x10]!
;;     stp x23, x25, [sp, #-0x10]!
;;     stp x21, x22, [sp, #-0x10]!
;;     stp x19, x20, [sp, #-0x10]!
;;     mov w4, #0x0
;;     mov x26, x4
;;     mov w20, #0x4
;;     movk w20, #0xf000, lsl #16
;;     ldur x0, [x2, #-0x10]
;;     add x21, x0, w3, uxtw
;;     mov x22, #0xf0000000
;;     mov x19, x2
;;   L0:
;;     ldur x0, [x19, #-0x8]
;;     mov x23, x3
;;     add x1, x20, w23, uxtw
;;     cmp x1, x0
;;     b.hi L2
;;     mov x2, #0x0
;;     add x3, x21, x22
;;     cmp x1, x0
;;     csel x0, x2, x3, hi
;;     csdb
;;     ldr w25, [x0]  ; trap: out of bounds memory access
;;     mov w3, #0x0
;;     mov x4, #0x1
;;     mov x2, x19
;;     bl stub: MemoryGrow
;;     mov w0, #0xffffffff
;;     mov x1, x26
;;     add w1, w1, w25
;;     mov x26, x1
;;     cmp w2, w0
;;     b.eq L1
;;     mov x3, x23
;;     b L0
;;   L1:
;;     mov x2, x26
;;     ldp x19, x20, [sp], #0x10
;;     ldp x21, x22, [sp], #0x10
;;     ldp x23, x25, [sp], #0x10
;;     ldr x26, [sp], #0x10
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L2:
;;     udf #0xc11f  ; trap: out of bounds memory access
