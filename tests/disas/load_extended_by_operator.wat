;; An extension of a load joins it only where the load is as wide as what is extended.
(module
  (memory 1)
  (func $extend_s (param i32) (result i64) (i64.extend_i32_s (i32.load (local.get 0))))
  (func $extend_u (param i32) (result i64) (i64.extend_i32_u (i32.load (local.get 0))))
  (func $extend8 (param i32) (result i32) (i32.extend8_s (i32.load (local.get 0)))))
;; ---
;; == x86_64 ==
;; extend_s:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     movsxd rax, [rdi+rsi]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; extend_u:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     mov eax, [rdi+rsi]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; extend8:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     mov esi, [rdi+rsi]  ; trap: out of bounds memory access
;;     movsx eax, sil
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; extend_s:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldrsw x2, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; extend_u:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldr w2, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; extend8:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldr w4, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     sxtb w2, w4
;;     ldp x29, x30, [sp], #0x10
;;     ret
