;; An address cut from an i64 loses its upper half before it is added to the base.
(module
  (memory 1)
  (func $wrap (param i64) (result i32)
    (i32.load (i32.wrap_i64 (local.get 0))))
  (func $shifted (param i64) (result i32)
    (i32.load (i32.wrap_i64 (i64.shr_u (local.get 0) (i64.const 3))))))
;; ---
;; == x86_64 ==
;; wrap:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     mov eax, [rdi+rsi]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; shifted:
;;     push rbp
;;     mov rbp, rsp
;;     shr rsi, 3
;;     mov esi, esi
;;     mov eax, [rdi+rsi]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; wrap:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldr w2, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; shifted:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     lsr x4, x3, #0x3
;;     ldr w2, [x2, w4, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
