;; An imported memory costs one load of its base from the context. Its length is one load further.
(module
  (import "m" "m" (memory 1))
  (func $load (param i32) (result i32) (i32.load offset=4 (local.get 0)))
  (func $twice (param i32) (result i32)
    (i32.add (i32.load (local.get 0)) (i32.load offset=4 (local.get 0))))
  (func $checked (param i32) (result i32) (i32.load offset=0xf0000000 (local.get 0)))
  (func $size (result i32) (memory.size)))
;; ---
;; == x86_64 ==
;; load:
;;     push rbp
;;     mov rbp, rsp
;;     mov r8, rsi
;;     mov rsi, [rdi-0x48]
;;     mov rdi, r8
;;     mov edi, edi
;;     mov eax, [rsi+rdi+4]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; twice:
;;     push rbp
;;     mov rbp, rsp
;;     mov r8, [rdi-0x48]
;;     mov edi, esi
;;     mov eax, [r8+rdi]  ; trap: out of bounds memory access
;;     add eax, [r8+rdi+4]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; checked:
;;     push rbp
;;     mov rbp, rsp
;;     mov rax, [rdi-0x50]
;;     mov rax, [rax+8]
;;     mov r9d, esi
;;     mov ecx, 0xf0000004
;;     add rcx, r9
;;     cmp rcx, rax
;;     ja L0
;;     xor rdx, rdx
;;     add r9, [rdi-0x48]
;;     mov esi, 0xf0000000
;;     add rsi, r9
;;     cmp rcx, rax
;;     cmova rsi, rdx
;;     mov eax, [rsi]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     ud2  ; trap: out of bounds memory access
;;
;; size:
;;     push rbp
;;     mov rbp, rsp
;;     mov rsi, [rdi-0x50]
;;     mov rax, [rsi+8]
;;     shr rax, 0x10
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; load:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldur x5, [x2, #-0x48]
;;     add x5, x5, w3, uxtw
;;     ldr w2, [x5, #0x4]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; twice:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldur x7, [x2, #-0x48]
;;     add x8, x7, w3, uxtw
;;     ldr w7, [x7, w3, uxtw]  ; trap: out of bounds memory access
;;     ldr w8, [x8, #0x4]  ; trap: out of bounds memory access
;;     add w2, w7, w8
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; checked:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldur x14, [x2, #-0x50]
;;     ldr x14, [x14, #0x8]
;;     mov w15, #0x4
;;     movk w15, #0xf000, lsl #16
;;     add x15, x15, w3, uxtw
;;     cmp x15, x14
;;     b.hi L0
;;     mov x0, #0x0
;;     ldur x1, [x2, #-0x48]
;;     add x1, x1, w3, uxtw
;;     mov x2, #0xf0000000
;;     add x1, x1, x2
;;     cmp x15, x14
;;     csel x0, x0, x1, hi
;;     csdb
;;     ldr w2, [x0]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     udf #0xc11f  ; trap: out of bounds memory access
;;
;; size:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldur x4, [x2, #-0x50]
;;     ldr x4, [x4, #0x8]
;;     lsr x2, x4, #0x10
;;     ldp x29, x30, [sp], #0x10
;;     ret
