;; A comparison whose result is a value sets a register from the flags, and extends it.
(module
  (func $lt (param i32 i32) (result i32) (i32.lt_u (local.get 0) (local.get 1)))
  (func $eqz (param i64) (result i32) (i64.eqz (local.get 0)))
  (func $float_eq (param f32 f32) (result i32) (f32.eq (local.get 0) (local.get 1)))
  (func $float_ne (param f64 f64) (result i32) (f64.ne (local.get 0) (local.get 1))))
;; ---
;; == x86_64 ==
;; lt:
;;     push rbp
;;     mov rbp, rsp
;;     cmp esi, edx
;;     setb sil
;;     movzx eax, sil
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; eqz:
;;     push rbp
;;     mov rbp, rsp
;;     test rsi, rsi
;;     sete sil
;;     movzx eax, sil
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; float_eq:
;;     push rbp
;;     mov rbp, rsp
;;     ucomiss xmm0, xmm1
;;     setnp dil
;;     sete r8b
;;     and edi, r8d
;;     movzx eax, dil
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; float_ne:
;;     push rbp
;;     mov rbp, rsp
;;     ucomisd xmm0, xmm1
;;     setp dil
;;     setne r8b
;;     or edi, r8d
;;     movzx eax, dil
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; lt:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     cmp w3, w4
;;     cset x5, lo
;;     uxtb w2, w5
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; eqz:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     cmp x3, #0x0
;;     cset x4, eq
;;     uxtb w2, w4
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; float_eq:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     fcmp s0, s1
;;     cset x5, eq
;;     uxtb w2, w5
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; float_ne:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     fcmp d0, d1
;;     cset x5, ne
;;     uxtb w2, w5
;;     ldp x29, x30, [sp], #0x10
;;     ret
