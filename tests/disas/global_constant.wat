;; A global that never changes and starts with a constant is that constant.
(module
  (global $size i32 (i32.const 4096))
  (global $mask i64 (i64.const 0xff00ff00ff00ff00))
  (func $size (result i32) (global.get $size))
  (func $masked (param i64) (result i64) (i64.and (local.get 0) (global.get $mask))))
;; ---
;; == x86_64 ==
;; size:
;;     push rbp
;;     mov rbp, rsp
;;     mov eax, 0x1000
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; masked:
;;     push rbp
;;     mov rbp, rsp
;;     mov rax, rsi
;;     and rax, [rip+L0]
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     .byte 00 ff 00 ff 00 ff 00 ff
;; == aarch64 ==
;; size:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov w2, #0x1000
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; masked:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     and x2, x3, #0xff00ff00ff00ff00
;;     ldp x29, x30, [sp], #0x10
;;     ret
