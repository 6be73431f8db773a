;; Rounding is one instruction in each mode: no library is called.
(module
  (func $nearest (param f64) (result f64) (f64.nearest (local.get 0)))
  (func $trunc (param f32) (result f32) (f32.trunc (local.get 0)))
  (func $ceil (param f64) (result f64) (f64.ceil (local.get 0)))
  (func $floor (param f32) (result f32) (f32.floor (local.get 0))))
;; ---
;; == x86_64 ==
;; nearest:
;;     push rbp
;;     mov rbp, rsp
;;     roundsd xmm0, xmm0, 0
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; trunc:
;;     push rbp
;;     mov rbp, rsp
;;     roundss xmm0, xmm0, 3
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; ceil:
;;     push rbp
;;     mov rbp, rsp
;;     roundsd xmm0, xmm0, 2
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; floor:
;;     push rbp
;;     mov rbp, rsp
;;     roundss xmm0, xmm0, 1
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; nearest:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     frintn d0, d0
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; trunc:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     frintz s0, s0
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; ceil:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     frintp d0, d0
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; floor:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     frintm s0, s0
;;     ldp x29, x30, [sp], #0x10
;;     ret
