;; A signed remainder by -1 is zero, not a fault: x86-64 leaves the division out, aarch64
;; multiplies back.
(module
  (func $rem_s (param i32 i32) (result i32) (i32.rem_s (local.get 0) (local.get 1)))
  (func $rem_u (param i64 i64) (result i64) (i64.rem_u (local.get 0) (local.get 1))))
;; ---
;; == x86_64 ==
;; rem_s:
;;     push rbp
;;     mov rbp, rsp
;;     mov rax, rsi
;;     mov r9, rdx
;;     cdq
;;     cmp r9d, 0xffffffff
;;     jne L0
;;     mov edx, 0
;;     jmp L1
;;   L0:
;;     idiv r9d  ; trap: integer divide by zero
;;   L1:
;;     mov rax, rdx
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; rem_u:
;;     push rbp
;;     mov rbp, rsp
;;     mov r10, rdx
;;     xor rdx, rdx
;;     mov rax, rsi
;;     div r10  ; trap: integer divide by zero
;;     mov rax, rdx
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; rem_s:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     cbz w4, L0
;;     sdiv w5, w3, w4
;;     msub w2, w5, w4, w3
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     udf #0xc11f  ; trap: integer divide by zero
;;
;; rem_u:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     cbz x4, L0
;;     udiv x5, x3, x4
;;     msub x2, x5, x4, x3
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     udf #0xc11f  ; trap: integer divide by zero
