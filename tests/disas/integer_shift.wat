;; A count needs no mask of its own, since the processor masks it. A mask in the program stays.
(module
  (func $shl (param i32 i32) (result i32) (i32.shl (local.get 0) (local.get 1)))
  (func $masked (param i64 i64) (result i64)
    (i64.shr_s (local.get 0) (i64.and (local.get 1) (i64.const 63))))
  (func $constant_33 (param i32) (result i32) (i32.shr_u (local.get 0) (i32.const 33)))
  (func $pair (param i32) (result i32)
    (i32.shr_u (i32.shl (local.get 0) (i32.const 8)) (i32.const 8))))
;; ---
;; == x86_64 ==
;; shl:
;;     push rbp
;;     mov rbp, rsp
;;     mov rcx, rdx
;;     mov rax, rsi
;;     shl eax, cl
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; masked:
;;     push rbp
;;     mov rbp, rsp
;;     mov rcx, rdx
;;     and rcx, 0x3f
;;     mov rax, rsi
;;     sar rax, cl
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; constant_33:
;;     push rbp
;;     mov rbp, rsp
;;     mov rax, rsi
;;     shr eax, 1
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; pair:
;;     push rbp
;;     mov rbp, rsp
;;     mov rax, rsi
;;     and eax, 0xffffff
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; shl:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     lsl w2, w3, w4
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; masked:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     and x4, x4, #0x3f
;;     asr x2, x3, x4
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; constant_33:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     lsr w2, w3, #0x1
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; pair:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     and w2, w3, #0xffffff
;;     ldp x29, x30, [sp], #0x10
;;     ret
