;; Without guards the check is a comparison and a branch, and no conditional move follows.
;;@ guards: off
(module
  (memory 1)
  (func $load (param i32) (result i32)
    (i32.load offset=0xf0000000 (local.get 0))))
;; ---
;; == x86_64 ==
;; load:
;;     push rbp
;;     mov rbp, rsp
;;     mov r8d, esi
;;     mov r9d, 0xf0000004
;;     add r9, r8
;;     cmp r9, [rdi-8]
;;     ja L0
;;     lea r10, [rdi+r8]
;;     mov r11d, 0xf0000000
;;     mov eax, [r10+r11]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     ud2  ; trap: out of bounds memory access
;; == aarch64 ==
;; load:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldur x9, [x2, #-0x8]
;;     mov w10, #0x4
;;     movk w10, #0xf000, lsl #16
;;     add x10, x10, w3, uxtw
;;     cmp x10, x9
;;     b.hi L0
;;     add x11, x2, w3, uxtw
;;     mov x12, #0xf0000000
;;     ldr w2, [x11, x12]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     udf #0xc11f  ; trap: out of bounds memory access
