;; A call whose result is returned is an ordinary call: the frame stays for the backtrace.
(module
  (func $callee (param i32) (result i32) (i32.clz (local.get 0)))
  (func $caller (param i32) (result i32) (call $callee (local.get 0))))
;; ---
;; == x86_64 ==
;; callee:
;;     push rbp
;;     mov rbp, rsp
;;     mov rdx, 0xffffffffffffffff
;;     bsr esi, esi
;;     cmove esi, edx
;;     mov eax, 0x1f
;;     sub eax, esi
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; caller:
;;     push rbp
;;     mov rbp, rsp
;;     call callee
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; callee:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     clz w2, w3
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; caller:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     bl callee
;;     ldp x29, x30, [sp], #0x10
;;     ret
