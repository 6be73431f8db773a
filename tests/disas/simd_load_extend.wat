;; An extending load reads 8 bytes, no more.
(module
  (memory 1)
  (func $s8 (param i32) (result v128) (v128.load8x8_s (local.get 0)))
  (func $u16 (param i32) (result v128) (v128.load16x4_u (local.get 0)))
  (func $s32 (param i32) (result v128) (v128.load32x2_s (local.get 0))))
;; ---
;; == x86_64 ==
;; s8:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     pmovsxbw xmm0, [rdi+rsi]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; u16:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     pmovzxwd xmm0, [rdi+rsi]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; s32:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     pmovsxdq xmm0, [rdi+rsi]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; s8:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldr d3, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     sshll v0.8h, v3.8b, #0x0
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; u16:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldr d3, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     ushll v0.4s, v3.4h, #0x0
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; s32:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldr d3, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     sshll v0.2d, v3.2s, #0x0
;;     ldp x29, x30, [sp], #0x10
;;     ret
