;; Conversions to floats. An unsigned i64 on x86-64 is halved first when its top bit is set.
(module
  (func $i32_s (param i32) (result f64) (f64.convert_i32_s (local.get 0)))
  (func $i32_u (param i32) (result f32) (f32.convert_i32_u (local.get 0)))
  (func $i64_u (param i64) (result f64) (f64.convert_i64_u (local.get 0))))
;; ---
;; == x86_64 ==
;; i32_s:
;;     push rbp
;;     mov rbp, rsp
;;     xorpd xmm0, xmm0
;;     cvtsi2sd xmm0, esi
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; i32_u:
;;     push rbp
;;     mov rbp, rsp
;;     xorps xmm0, xmm0
;;     mov esi, esi
;;     cvtsi2ss xmm0, rsi
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; i64_u:
;;     push rbp
;;     mov rbp, rsp
;;     mov r8, rsi
;;     cmp r8, 0
;;     jl L0
;;     cvtsi2sd xmm0, r8
;;     jmp L1
;;   L0:
;;     mov rdi, r8
;;     shr rdi, 1
;;     mov rsi, r8
;;     and rsi, 1
;;     or rsi, rdi
;;     cvtsi2sd xmm0, rsi
;;     addsd xmm0, xmm0
;;   L1:
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; i32_s:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     scvtf d0, w3
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; i32_u:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ucvtf s0, w3
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; i64_u:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ucvtf d0, x3
;;     ldp x29, x30, [sp], #0x10
;;     ret
