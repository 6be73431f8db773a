;; A static offset below the guard is part of the address, with no bounds check: the context
;; pointer is the base of memory 0.
(module
  (memory 1)
  (func $load (param i32) (result i32)
    (i32.load offset=16 (local.get 0))))
;; ---
;; == x86_64 ==
;; load:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     mov eax, [rdi+rsi+0x10]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; load:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     add x4, x2, w3, uxtw
;;     ldr w2, [x4, #0x10]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
