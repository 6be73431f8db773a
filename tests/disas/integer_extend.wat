;; Extensions are one move each. On x86-64 one by zeros after a 32-bit operation is none.
(module
  (func $extend_s (param i32) (result i64) (i64.extend_i32_s (local.get 0)))
  (func $extend_u (param i32) (result i64) (i64.extend_i32_u (local.get 0)))
  (func $after_add (param i32 i32) (result i64)
    (i64.extend_i32_u (i32.add (local.get 0) (local.get 1))))
  (func $extend8 (param i64) (result i64) (i64.extend8_s (local.get 0)))
  (func $wrap_extend (param i64) (result i64)
    (i64.extend_i32_u (i32.wrap_i64 (local.get 0)))))
;; ---
;; == x86_64 ==
;; extend_s:
;;     push rbp
;;     mov rbp, rsp
;;     movsxd rax, esi
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; extend_u:
;;     push rbp
;;     mov rbp, rsp
;;     mov eax, esi
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; after_add:
;;     push rbp
;;     mov rbp, rsp
;;     lea eax, [rsi+rdx]
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; extend8:
;;     push rbp
;;     mov rbp, rsp
;;     movsx rax, sil
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; wrap_extend:
;;     push rbp
;;     mov rbp, rsp
;;     mov eax, esi
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; extend_s:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     sxtw x2, w3
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; extend_u:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov w2, w3
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; after_add:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     add w4, w3, w4
;;     mov w2, w4
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; extend8:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     sxtb x2, w3
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; wrap_extend:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov w2, w3
;;     ldp x29, x30, [sp], #0x10
;;     ret
