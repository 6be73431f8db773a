;; A global of the module is one load or store below the context pointer.
(module
  (global $a (mut i32) (i32.const 1))
  (global $b (mut f64) (f64.const 2))
  (func $get (result i32) (global.get $a))
  (func $set (param f64) (global.set $b (local.get 0)))
  (func $increment (global.set $a (i32.add (global.get $a) (i32.const 1)))))
;; ---
;; == x86_64 ==
;; get:
;;     push rbp
;;     mov rbp, rsp
;;     mov eax, [rdi-0x50]
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; set:
;;     push rbp
;;     mov rbp, rsp
;;     movsd [rdi-0x48], xmm0
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; increment:
;;     push rbp
;;     mov rbp, rsp
;;     add dword ptr [rdi-0x50], 1
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; get:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldur w2, [x2, #-0x50]
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; set:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     stur d0, [x2, #-0x48]
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; increment:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldur w3, [x2, #-0x50]
;;     add w3, w3, #0x1
;;     stur w3, [x2, #-0x50]
;;     ldp x29, x30, [sp], #0x10
;;     ret
