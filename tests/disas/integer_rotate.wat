;; Rotations are one instruction, to the left as to the right; aarch64 negates the count.
(module
  (func $rotl (param i32 i32) (result i32) (i32.rotl (local.get 0) (local.get 1)))
  (func $rotr (param i64 i64) (result i64) (i64.rotr (local.get 0) (local.get 1)))
  (func $rotl_5 (param i32) (result i32) (i32.rotl (local.get 0) (i32.const 5)))
  (func $by_or (param i32) (result i32)
    (i32.or (i32.shl (local.get 0) (i32.const 5)) (i32.shr_u (local.get 0) (i32.const 27)))))
;; ---
;; == x86_64 ==
;; rotl:
;;     push rbp
;;     mov rbp, rsp
;;     mov rcx, rdx
;;     mov rax, rsi
;;     rol eax, cl
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; rotr:
;;     push rbp
;;     mov rbp, rsp
;;     mov rcx, rdx
;;     mov rax, rsi
;;     ror rax, cl
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; rotl_5:
;;     push rbp
;;     mov rbp, rsp
;;     mov rax, rsi
;;     rol eax, 5
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; by_or:
;;     push rbp
;;     mov rbp, rsp
;;     mov rax, rsi
;;     rol eax, 5
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; rotl:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     neg w4, w4
;;     ror w2, w3, w4
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; rotr:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ror x2, x3, x4
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; rotl_5:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ror w2, w3, #0x1b
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; by_or:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ror w2, w3, #0x1b
;;     ldp x29, x30, [sp], #0x10
;;     ret
