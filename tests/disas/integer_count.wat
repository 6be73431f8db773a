;; Counts of bits. x86-64-v2 has popcnt; for zeros it has bsr and bsf, whose result for zero is
;; replaced by a conditional move. aarch64 counts ones in a vector register.
(module
  (func $clz (param i32) (result i32) (i32.clz (local.get 0)))
  (func $ctz (param i64) (result i64) (i64.ctz (local.get 0)))
  (func $popcnt (param i32) (result i32) (i32.popcnt (local.get 0))))
;; ---
;; == x86_64 ==
;; clz:
;;     push rbp
;;     mov rbp, rsp
;;     mov rdx, 0xffffffffffffffff
;;     bsr esi, esi
;;     cmove esi, edx
;;     mov eax, 0x1f
;;     sub eax, esi
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; ctz:
;;     push rbp
;;     mov rbp, rsp
;;     mov edx, 0x40
;;     bsf rax, rsi
;;     cmove rax, rdx
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; popcnt:
;;     push rbp
;;     mov rbp, rsp
;;     popcnt eax, esi
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; clz:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     clz w2, w3
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; ctz:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     rbit x2, x3
;;     clz x2, x2
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; popcnt:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     fmov s2, w3
;;     cnt v4.8b, v2.8b
;;     addv b6, v4.8b
;;     umov w2, v6.b[0]
;;     ldp x29, x30, [sp], #0x10
;;     ret
