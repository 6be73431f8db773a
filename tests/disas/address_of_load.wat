;; An address that was loaded needs no extension: a load of 32 bits clears the upper half.
(module
  (memory 1)
  (func $chase (param i32) (result i32)
    (i32.load (i32.load (i32.load (local.get 0))))))
;; ---
;; == x86_64 ==
;; chase:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     mov esi, [rdi+rsi]  ; trap: out of bounds memory access
;;     mov esi, [rdi+rsi]  ; trap: out of bounds memory access
;;     mov eax, [rdi+rsi]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; chase:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldr w5, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     ldr w5, [x2, w5, uxtw]  ; trap: out of bounds memory access
;;     ldr w2, [x2, w5, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
