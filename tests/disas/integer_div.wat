;; A signed division checks for zero and for the quotient that does not fit. On x86-64 only zero is
;; checked in code: a fault of the division means overflow.
(module
  (func $div_s (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
  (func $div_u (param i64 i64) (result i64) (i64.div_u (local.get 0) (local.get 1))))
;; ---
;; == x86_64 ==
;; div_s:
;;     push rbp
;;     mov rbp, rsp
;;     mov rax, rsi
;;     mov r11, rdx
;;     cdq
;;     test r11d, r11d
;;     je L0
;;     idiv r11d  ; trap: integer overflow
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     ud2  ; trap: integer divide by zero
;;
;; div_u:
;;     push rbp
;;     mov rbp, rsp
;;     mov r10, rdx
;;     xor rdx, rdx
;;     mov rax, rsi
;;     div r10  ; trap: integer divide by zero
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; div_s:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
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
;; div_u:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     cbz x4, L0
;;     udiv x2, x3, x4
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     udf #0xc11f  ; trap: integer divide by zero
