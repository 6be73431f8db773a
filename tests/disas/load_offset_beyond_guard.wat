;; A check compares with the length below the context pointer, and a conditional move makes the
;; address zero where the check fails.
(module
  (memory 1)
  (func $load (param i32) (result i32)
    (i32.load offset=0xf0000000 (local.get 0))))
;; ---
;; == x86_64 ==
;; load:
;;     push rbp
;;     mov rbp, rsp
;;     mov rax, [rdi-8]
;;     mov edx, esi
;;     mov ecx, 0xf0000004
;;     add rcx, rdx
;;     cmp rcx, rax
;;     ja L0
;;     xor rsi, rsi
;;     add rdx, rdi
;;     mov edi, 0xf0000000
;;     add rdx, rdi
;;     cmp rcx, rax
;;     cmova rdx, rsi
;;     mov eax, [rdx]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     ud2  ; trap: out of bounds memory access
;; == aarch64 ==
;; load:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldur x12, [x2, #-0x8]
;;     mov w13, #0x4
;;     movk w13, #0xf000, lsl #16
;;     add x13, x13, w3, uxtw
;;     cmp x13, x12
;;     b.hi L0
;;     mov x14, #0x0
;;     add x15, x2, w3, uxtw
;;     mov x0, #0xf0000000
;;     add x15, x15, x0
;;     cmp x13, x12
;;     csel x15, x14, x15, hi
;;     csdb
;;     ldr w2, [x15]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     udf #0xc11f  ; trap: out of bounds memory access
