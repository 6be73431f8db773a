;; aarch64 saturates in one instruction. x86-64 corrects the result of its own conversion.
(module
  (func $i32_s (param f64) (result i32) (i32.trunc_sat_f64_s (local.get 0)))
  (func $i32_u (param f32) (result i32) (i32.trunc_sat_f32_u (local.get 0)))
  (func $i64_u (param f64) (result i64) (i64.trunc_sat_f64_u (local.get 0))))
;; ---
;; == x86_64 ==
;; i32_s:
;;     push rbp
;;     mov rbp, rsp
;;     cvttsd2si eax, xmm0
;;     cmp eax, 1
;;     jno L1
;;     ucomisd xmm0, xmm0
;;     jnp L0
;;     xor eax, eax
;;     jmp L1
;;   L0:
;;     xorpd xmm3, xmm3
;;     ucomisd xmm3, xmm0
;;     jae L1
;;     mov eax, 0x7fffffff
;;   L1:
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; i32_u:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, 0x4f000000
;;     movd xmm3, esi
;;     ucomiss xmm0, xmm3
;;     jae L1
;;     jnp L0
;;     xor eax, eax
;;     jmp L3
;;   L0:
;;     cvttss2si eax, xmm0
;;     cmp eax, 0
;;     jge L3
;;     xor eax, eax
;;     jmp L3
;;   L1:
;;     movaps xmm4, xmm0
;;     subss xmm4, xmm3
;;     cvttss2si eax, xmm4
;;     cmp eax, 0
;;     jge L2
;;     mov eax, 0xffffffff
;;     jmp L3
;;   L2:
;;     add eax, 0x80000000
;;   L3:
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; i64_u:
;;     push rbp
;;     mov rbp, rsp
;;     mov rsi, 0x43e0000000000000
;;     movq xmm3, rsi
;;     ucomisd xmm0, xmm3
;;     jae L1
;;     jnp L0
;;     xor rax, rax
;;     jmp L3
;;   L0:
;;     cvttsd2si rax, xmm0
;;     cmp rax, 0
;;     jge L3
;;     xor rax, rax
;;     jmp L3
;;   L1:
;;     movaps xmm4, xmm0
;;     subsd xmm4, xmm3
;;     cvttsd2si rax, xmm4
;;     cmp rax, 0
;;     jge L2
;;     mov rax, 0xffffffffffffffff
;;     jmp L3
;;   L2:
;;     mov rsi, 0x8000000000000000
;;     add rax, rsi
;;   L3:
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; i32_s:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     fcvtzs w2, d0
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; i32_u:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     fcvtzu w2, s0
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; i64_u:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     fcvtzu x2, d0
;;     ldp x29, x30, [sp], #0x10
;;     ret
