;; A splat of a constant is a constant; of a loaded value it is one load on aarch64.
(module
  (memory 1)
  (func $i8 (param i32) (result v128) (i8x16.splat (local.get 0)))
  (func $i32 (param i32) (result v128) (i32x4.splat (local.get 0)))
  (func $f64 (param f64) (result v128) (f64x2.splat (local.get 0)))
  (func $load16 (param i32) (result v128) (v128.load16_splat (local.get 0)))
  (func $constant (result v128) (i32x4.splat (i32.const 5))))
;; ---
;; == x86_64 ==
;; i8:
;;     push rbp
;;     mov rbp, rsp
;;     movd xmm0, esi
;;     pxor xmm5, xmm5
;;     pshufb xmm0, xmm5
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; i32:
;;     push rbp
;;     mov rbp, rsp
;;     movd xmm2, esi
;;     pshufd xmm0, xmm2, 0
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; f64:
;;     push rbp
;;     mov rbp, rsp
;;     pshufd xmm0, xmm0, 0x44
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; load16:
;;     push rbp
;;     mov rbp, rsp
;;     mov r8d, esi
;;     pinsrw xmm5, [rdi+r8], 0  ; trap: out of bounds memory access
;;     pshuflw xmm0, xmm5, 0
;;     pshufd xmm0, xmm0, 0
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; constant:
;;     push rbp
;;     mov rbp, rsp
;;     movdqu xmm0, [rip+L0]
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     .byte 05 00 00 00 05 00 00 00 05 00 00 00 05 00 00 00
;; == aarch64 ==
;; i8:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     dup v0.16b, w3
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; i32:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     dup v0.4s, w3
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; f64:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     dup v0.2d, v0.d[0]
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; load16:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     add x4, x2, w3, uxtw
;;     ld1r {v0.8h}, [x4]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; constant:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     movi v0.4s, #0x5
;;     ldp x29, x30, [sp], #0x10
;;     ret
