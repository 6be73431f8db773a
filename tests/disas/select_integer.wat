;; A select is a comparison and one conditional move. On x86-64 a constant operand comes from
;; memory.
(module
  (func $max (param i32 i32) (result i32)
    (select (local.get 0) (local.get 1) (i32.gt_s (local.get 0) (local.get 1))))
  (func $of_value (param i64 i64 i32) (result i64)
    (select (local.get 0) (local.get 1) (local.get 2)))
  (func $zero_or (param i32 i32) (result i32)
    (select (i32.const 0) (local.get 0) (local.get 1))))
;; ---
;; == x86_64 ==
;; max:
;;     push rbp
;;     mov rbp, rsp
;;     cmp edx, esi
;;     mov rax, rsi
;;     cmovge eax, edx
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; of_value:
;;     push rbp
;;     mov rbp, rsp
;;     test ecx, ecx
;;     mov rax, rdx
;;     cmovne rax, rsi
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; zero_or:
;;     push rbp
;;     mov rbp, rsp
;;     test edx, edx
;;     mov rax, rsi
;;     cmovne eax, [rip+L0]
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     .byte 00 00 00 00 00 00 00 00
;; == aarch64 ==
;; max:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     cmp w3, w4
;;     csel x2, x3, x4, gt
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; of_value:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     cmp w5, wzr
;;     csel x2, x3, x4, ne
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; zero_or:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov x6, x4
;;     mov w4, #0x0
;;     cmp w6, wzr
;;     csel x2, x4, x3, ne
;;     ldp x29, x30, [sp], #0x10
;;     ret
