;; A direct call passes the context and jumps to the function by distance. Nothing is stored before
;; it. A function that calls one outside any cycle has no stack check.
(module
  (func $callee (param i32 i64) (result i64)
    (i64.add (i64.extend_i32_u (local.get 0)) (local.get 1)))
  (func $caller (param i32) (result i64)
    (call $callee (local.get 0) (i64.const 7))))
;; ---
;; == x86_64 ==
;; callee:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     lea rax, [rsi+rdx]
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; caller:
;;     push rbp
;;     mov rbp, rsp
;;     mov edx, 7
;;     call callee
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; callee:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     add x2, x4, w3, uxtw
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; caller:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov x4, #0x7
;;     bl callee
;;     ldp x29, x30, [sp], #0x10
;;     ret
