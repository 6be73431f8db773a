;; x86-64 shifts no bytes: it shifts wider lanes and clears the bits that crossed, with a mask that
;; is a constant where the count is one.
(module
  (func $shl (param v128 i32) (result v128) (i8x16.shl (local.get 0) (local.get 1)))
  (func $shl_3 (param v128) (result v128) (i8x16.shl (local.get 0) (i32.const 3)))
  (func $shr_s_3 (param v128) (result v128) (i8x16.shr_s (local.get 0) (i32.const 3)))
  (func $shr_u_11 (param v128) (result v128) (i8x16.shr_u (local.get 0) (i32.const 11))))
;; ---
;; == x86_64 ==
;; shl:
;;     push rbp
;;     mov rbp, rsp
;;     and rsi, 7
;;     movd xmm5, esi
;;     psllw xmm0, xmm5
;;     lea r9, [rip+L0]
;;     shl rsi, 4
;;     movdqu xmm1, [r9+rsi]
;;     pand xmm0, xmm1
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     .byte ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff
;;     .byte fe fe fe fe fe fe fe fe fe fe fe fe fe fe fe fe
;;     .byte fc fc fc fc fc fc fc fc fc fc fc fc fc fc fc fc
;;     .byte f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8
;;     .byte f0 f0 f0 f0 f0 f0 f0 f0 f0 f0 f0 f0 f0 f0 f0 f0
;;     .byte e0 e0 e0 e0 e0 e0 e0 e0 e0 e0 e0 e0 e0 e0 e0 e0
;;     .byte c0 c0 c0 c0 c0 c0 c0 c0 c0 c0 c0 c0 c0 c0 c0 c0
;;     .byte 80 80 80 80 80 80 80 80 80 80 80 80 80 80 80 80
;;
;; shl_3:
;;     push rbp
;;     mov rbp, rsp
;;     psllw xmm0, 3
;;     movdqu xmm4, [rip+L0]
;;     pand xmm0, xmm4
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     .byte f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8
;;
;; shr_s_3:
;;     push rbp
;;     mov rbp, rsp
;;     movdqa xmm6, xmm0
;;     punpcklbw xmm6, xmm0
;;     punpckhbw xmm0, xmm0
;;     movdqa xmm1, xmm0
;;     movdqa xmm0, xmm6
;;     psraw xmm0, 0xb
;;     psraw xmm1, 0xb
;;     packsswb xmm0, xmm1
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; shr_u_11:
;;     push rbp
;;     mov rbp, rsp
;;     psrlw xmm0, 3
;;     pand xmm0, [rip+L0]
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     .byte 1f 1f 1f 1f 1f 1f 1f 1f 1f 1f 1f 1f 1f 1f 1f 1f
;; == aarch64 ==
;; shl:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     and w3, w3, #0x7
;;     dup v5.16b, w3
;;     sshl v0.16b, v0.16b, v5.16b
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; shl_3:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     shl v0.16b, v0.16b, #0x3
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; shr_s_3:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     sshr v0.16b, v0.16b, #0x3
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; shr_u_11:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ushr v0.16b, v0.16b, #0x3
;;     ldp x29, x30, [sp], #0x10
;;     ret
