;; A sum of two i32 as address wraps at 32 bits: the addition is one of 32 bits, before the base is
;; added.
(module
  (memory 1)
  (func $sum (param i32 i32) (result i32)
    (i32.load (i32.add (local.get 0) (local.get 1))))
  (func $minus_four (param i32) (result i32)
    (i32.load (i32.sub (local.get 0) (i32.const 4))))
  (func $plus_constant (param i32) (result i32)
    (i32.load offset=8 (i32.add (local.get 0) (i32.const 16)))))
;; ---
;; == x86_64 ==
;; sum:
;;     push rbp
;;     mov rbp, rsp
;;     add esi, edx
;;     mov eax, [rdi+rsi]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; minus_four:
;;     push rbp
;;     mov rbp, rsp
;;     sub esi, 4
;;     mov eax, [rdi+rsi]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; plus_constant:
;;     push rbp
;;     mov rbp, rsp
;;     add esi, 0x10
;;     mov eax, [rdi+rsi+8]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; sum:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     add w5, w3, w4
;;     ldr w2, [x2, w5, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; minus_four:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     sub w4, w3, #0x4
;;     ldr w2, [x2, w4, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; plus_constant:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     add w5, w3, #0x10
;;     add x5, x2, w5, uxtw
;;     ldr w2, [x5, #0x8]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
