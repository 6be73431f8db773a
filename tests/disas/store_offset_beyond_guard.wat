;; A checked store has the same conditional move as a checked load.
(module
  (memory 1)
  (func $store (param i32 i64)
    (i64.store offset=0xf0000000 (local.get 0) (local.get 1))))
;; ---
;; == x86_64 ==
;; store:
;;     push rbp
;;     mov rbp, rsp
;;     mov rax, [rdi-8]
;;     mov esi, esi
;;     mov ecx, 0xf0000008
;;     add rcx, rsi
;;     cmp rcx, rax
;;     ja L0
;;     xor r8, r8
;;     add rsi, rdi
;;     mov edi, 0xf0000000
;;     add rsi, rdi
;;     cmp rcx, rax
;;     cmova rsi, r8
;;     mov [rsi], rdx  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     ud2  ; trap: out of bounds memory access
;; == aarch64 ==
;; store:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldur x12, [x2, #-0x8]
;;     mov w13, #0x8
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
;;     str x4, [x15]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     udf #0xc11f  ; trap: out of bounds memory access
