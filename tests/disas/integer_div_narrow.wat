;; Division of extended values is done at the full width on aarch64: both operands are extended
;; before, and the overflow check is of the right width.
(module
  (func $div_s8 (param i32 i32) (result i32)
    (i32.div_s (i32.extend8_s (local.get 0)) (i32.extend8_s (local.get 1))))
  (func $div_s32_in_64 (param i32 i32) (result i64)
    (i64.div_s (i64.extend_i32_s (local.get 0)) (i64.extend_i32_s (local.get 1))))
  (func $div_minus_1 (param i32) (result i32) (i32.div_s (local.get 0) (i32.const -1)))
  (func $div_zero (param i32) (result i32) (i32.div_s (local.get 0) (i32.const 0)))
  (func $min_by (param i32) (result i32) (i32.div_s (i32.const 0x80000000) (local.get 0))))
;; ---
;; == x86_64 ==
;; div_s8:
;;     push rbp
;;     mov rbp, rsp
;;     movsx eax, sil
;;     movsx edi, dl
;;     cdq
;;     test edi, edi
;;     je L0
;;     idiv edi  ; trap: integer overflow
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     ud2  ; trap: integer divide by zero
;;
;; div_s32_in_64:
;;     push rbp
;;     mov rbp, rsp
;;     movsxd rax, esi
;;     movsxd rdi, edx
;;     cqo
;;     test rdi, rdi
;;     je L0
;;     idiv rdi  ; trap: integer overflow
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     ud2  ; trap: integer divide by zero
;;
;; div_minus_1:
;;     push rbp
;;     mov rbp, rsp
;;     mov rdi, rsi
;;     mov esi, 0xffffffff
;;     mov rax, rdi
;;     cdq
;;     test esi, esi
;;     je L0
;;     idiv esi  ; trap: integer overflow
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     ud2  ; trap: integer divide by zero
;;
;; div_zero:
;;     push rbp
;;     mov rbp, rsp
;;     mov r8, rsi
;;     xor esi, esi
;;     mov rax, r8
;;     cdq
;;     test esi, esi
;;     je L0
;;     idiv esi  ; trap: integer overflow
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     ud2  ; trap: integer divide by zero
;;
;; min_by:
;;     push rbp
;;     mov rbp, rsp
;;     mov eax, 0x80000000
;;     cdq
;;     test esi, esi
;;     je L0
;;     idiv esi  ; trap: integer overflow
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     ud2  ; trap: integer divide by zero
;; == aarch64 ==
;; div_s8:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     sxtb w5, w3
;;     sxtb w6, w4
;;     cbz w6, L0
;;     cmn w6, #0x1
;;     ccmp w5, #0x1, #0x0, eq
;;     b.vs L1
;;     sdiv w2, w5, w6
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     udf #0xc11f  ; trap: integer divide by zero
;;   L1:
;;     udf #0xc11f  ; trap: integer overflow
;;
;; div_s32_in_64:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     sxtw x5, w3
;;     sxtw x6, w4
;;     cbz x6, L0
;;     cmn x6, #0x1
;;     ccmp x5, #0x1, #0x0, eq
;;     b.vs L1
;;     sdiv x2, x5, x6
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     udf #0xc11f  ; trap: integer divide by zero
;;   L1:
;;     udf #0xc11f  ; trap: integer overflow
;;
;; div_minus_1:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov w2, #0xffffffff
;;     cmn w2, #0x1
;;     ccmp w3, #0x1, #0x0, eq
;;     b.vs L0
;;     sdiv w2, w3, w2
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     udf #0xc11f  ; trap: integer overflow
;;
;; div_zero:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov w4, #0x0
;;     cbz w4, L0
;;     cmn w4, #0x1
;;     ccmp w3, #0x1, #0x0, eq
;;     b.vs L1
;;     sdiv w2, w3, w4
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     udf #0xc11f  ; trap: integer divide by zero
;;   L1:
;;     udf #0xc11f  ; trap: integer overflow
;;
;; min_by:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov w4, #0x80000000
;;     cbz w3, L0
;;     cmn w3, #0x1
;;     ccmp w4, #0x1, #0x0, eq
;;     b.vs L1
;;     sdiv w2, w4, w3
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     udf #0xc11f  ; trap: integer divide by zero
;;   L1:
;;     udf #0xc11f  ; trap: integer overflow
