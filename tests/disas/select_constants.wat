;; A select of two constants uses no branch. On x86-64 a constant comes from memory.
(module
  (func $one_or_zero (param i32) (result i32)
    (select (i32.const 1) (i32.const 0) (local.get 0)))
  (func $mask (param i32 i32) (result i32)
    (select (i32.const -1) (i32.const 0) (i32.lt_u (local.get 0) (local.get 1)))))
;; ---
;; == x86_64 ==
;; one_or_zero:
;;     push rbp
;;     mov rbp, rsp
;;     xor eax, eax
;;     test esi, esi
;;     cmovne eax, [rip+L0]
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     .byte 01 00 00 00 00 00 00 00
;;
;; mask:
;;     push rbp
;;     mov rbp, rsp
;;     cmp esi, edx
;;     setb al
;;     mov rsi, rax
;;     neg sil
;;     sbb eax, eax
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; one_or_zero:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov w4, #0x1
;;     mov w5, #0x0
;;     cmp w3, wzr
;;     csel x2, x4, x5, ne
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; mask:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     cmp w3, w4
;;     cset x6, lo
;;     and w5, w6, #0xff
;;     cmp w5, #0x0
;;     csetm x2, ne
;;     ldp x29, x30, [sp], #0x10
;;     ret
