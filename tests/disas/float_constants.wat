;; A float constant comes from the pool behind the code or from an integer register; zero is made
;; in place.
(module
  (func $zero (result f64) (f64.const 0))
  (func $one (result f64) (f64.const 1))
  (func $pi (result f64) (f64.const 3.141592653589793))
  (func $third (param f32) (result f32) (f32.mul (local.get 0) (f32.const 0.333333))))
;; ---
;; == x86_64 ==
;; zero:
;;     push rbp
;;     mov rbp, rsp
;;     xorpd xmm0, xmm0
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; one:
;;     push rbp
;;     mov rbp, rsp
;;     mov rax, 0x3ff0000000000000
;;     movq xmm0, rax
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; pi:
;;     push rbp
;;     mov rbp, rsp
;;     mov rax, 0x400921fb54442d18
;;     movq xmm0, rax
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; third:
;;     push rbp
;;     mov rbp, rsp
;;     mulss xmm0, [rip+L0]
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     .byte 9f aa aa 3e 00 00 00 00 00 00 00 00 00 00 00 00
;; == aarch64 ==
;; zero:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     movi v0.2s, #0x0
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; one:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     fmov d0, #1.0
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; pi:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldr d0, L0
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     .byte 18 2d 44 54 fb 21 09 40
;;
;; third:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov w4, #0xaa9f
;;     movk w4, #0x3eaa, lsl #16
;;     fmov s7, w4
;;     fmul s0, s0, s7
;;     ldp x29, x30, [sp], #0x10
;;     ret
