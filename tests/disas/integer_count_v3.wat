;; With x86-64-v3 each count of bits is one instruction.
;;@ targets: x86-64-v3
(module
  (func $clz (param i32) (result i32) (i32.clz (local.get 0)))
  (func $ctz (param i64) (result i64) (i64.ctz (local.get 0)))
  (func $lowest_cleared (param i64) (result i64)
    (i64.and (local.get 0) (i64.sub (local.get 0) (i64.const 1))))
  (func $and_not (param i64 i64) (result i64)
    (i64.and (local.get 0) (i64.xor (local.get 1) (i64.const -1))))
  (func $shl (param i64 i64) (result i64) (i64.shl (local.get 0) (local.get 1))))
;; ---
;; == x86-64-v3 ==
;; clz:
;;     push rbp
;;     mov rbp, rsp
;;     lzcnt eax, esi
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; ctz:
;;     push rbp
;;     mov rbp, rsp
;;     tzcnt rax, rsi
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; lowest_cleared:
;;     push rbp
;;     mov rbp, rsp
;;     blsr rax, rsi
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; and_not:
;;     push rbp
;;     mov rbp, rsp
;;     andn rax, rdx, rsi
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; shl:
;;     push rbp
;;     mov rbp, rsp
;;     shlx rax, rsi, rdx
;;     mov rsp, rbp
;;     pop rbp
;;     ret
