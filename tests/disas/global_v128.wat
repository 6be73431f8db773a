;; A vector global is one access of 16 bytes.
(module
  (global $v (mut v128) (v128.const i64x2 1 2))
  (func $get (result v128) (global.get $v))
  (func $set (param v128) (global.set $v (local.get 0))))
;; ---
;; == x86_64 ==
;; get:
;;     push rbp
;;     mov rbp, rsp
;;     movdqu xmm0, [rdi-0x50]
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; set:
;;     push rbp
;;     mov rbp, rsp
;;     movdqu [rdi-0x50], xmm0
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; get:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldur q0, [x2, #-0x50]
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; set:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     stur q0, [x2, #-0x50]
;;     ldp x29, x30, [sp], #0x10
;;     ret
