;; Integers that live across a call are in registers that the callee keeps; floats are on the
;; stack, with all 16 bytes of their register.
(module
  (import "m" "f" (func $f (param i32) (result i32)))
  (func $caller (param i32 i32 f64) (result f64)
    (f64.add
      (f64.convert_i32_s
        (i32.add (call $f (local.get 0)) (i32.add (local.get 0) (local.get 1))))
      (local.get 2))))
;; ---
;; == x86_64 ==
;; caller:
;;     push rbp
;;     mov rbp, rsp
;;     sub rsp, 0x20
;;     mov [rsp+0x10], rbx
;;     mov [rsp+0x18], r12
;;     mov r12, rdx
;;     movdqu [rsp], xmm0
;;     mov rax, [rdi-0x80]
;;     mov rdi, [rdi-0x78]
;;     mov rbx, rsi
;;     call rax
;;     mov rdx, r12
;;     lea ecx, [rbx+rdx]
;;     add eax, ecx
;;     xorpd xmm0, xmm0
;;     cvtsi2sd xmm0, eax
;;     movdqu xmm1, [rsp]
;;     addsd xmm0, xmm1
;;     mov rbx, [rsp+0x10]
;;     mov r12, [rsp+0x18]
;;     add rsp, 0x20
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; caller:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     stp x19, x20, [sp, #-0x10]!
;;     sub sp, sp, #0x10
;;     mov x20, x4
;;     stur q0, [sp]
;;     ldur x11, [x2, #-0x80]
;;     ldur x2, [x2, #-0x78]
;;     mov x19, x3
;;     blr x11
;;     mov x4, x20
;;     add w11, w19, w4
;;     add w11, w2, w11
;;     scvtf d16, w11
;;     ldur q0, [sp]
;;     fadd d0, d16, d0
;;     add sp, sp, #0x10
;;     ldp x19, x20, [sp], #0x10
;;     ldp x29, x30, [sp], #0x10
;;     ret
