;; Offset plus width of the first load is exactly the 64 MiB of the guard: no check. One byte more
;; is checked against the length of memory.
(module
  (memory 1)
  (func $last_unchecked (param i32) (result i32)
    (i32.load offset=0x3fffffc (local.get 0)))
  (func $first_checked (param i32) (result i32)
    (i32.load offset=0x3fffffd (local.get 0))))
;; ---
;; == x86_64 ==
;; last_unchecked:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     mov eax, [rdi+rsi+0x3fffffc]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; first_checked:
;;     push rbp
;;     mov rbp, rsp
;;     mov r10, [rdi-8]
;;     mov r11d, esi
;;     lea rax, [r11+0x4000001]
;;     cmp rax, r10
;;     ja L0
;;     xor rcx, rcx
;;     lea r11, [rdi+r11+0x3fffffd]
;;     cmp rax, r10
;;     cmova r11, rcx
;;     mov eax, [r11]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     ud2  ; trap: out of bounds memory access
;; == aarch64 ==
;; last_unchecked:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov x4, #0x3fffffc
;;     add x5, x2, x4
;;     ldr w2, [x5, w3, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; first_checked:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldur x13, [x2, #-0x8]
;;     mov w14, #0x1
;;     movk w14, #0x400, lsl #16
;;     add x14, x14, w3, uxtw
;;     cmp x14, x13
;;     b.hi L0
;;     mov x15, #0x0
;;     add x0, x2, w3, uxtw
;;     mov w1, #0xfffd
;;     movk w1, #0x3ff, lsl #16
;;     add x0, x0, x1
;;     cmp x14, x13
;;     csel x0, x15, x0, hi
;;     csdb
;;     ldr w2, [x0]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     udf #0xc11f  ; trap: out of bounds memory access
