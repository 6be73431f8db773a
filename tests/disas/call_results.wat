;; Several results are returned in registers.
(module
  (func $swap (param i32 i64) (result i64 i32) (local.get 1) (local.get 0))
  (func $caller (param i32 i64) (result i64)
    (call $swap (local.get 0) (local.get 1))
    (i64.extend_i32_u)
    (i64.add)))
;; ---
;; == x86_64 ==
;; swap:
;;     push rbp
;;     mov rbp, rsp
;;     mov rax, rdx
;;     mov rcx, rsi
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; caller:
;;     push rbp
;;     mov rbp, rsp
;;     call swap
;;     mov esi, ecx
;;     add rax, rsi
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; swap:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov x2, x4
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; caller:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     bl swap
;;     add x2, x2, w3, uxtw
;;     ldp x29, x30, [sp], #0x10
;;     ret
