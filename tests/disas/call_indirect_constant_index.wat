;; A constant index of a table that never changes is a direct call. One beyond the table calls the
;; stub behind the last entry.
(module
  (type $t (func (result i32)))
  (table 2 2 funcref)
  (elem (i32.const 0) $f $f)
  (func $f (type $t) (i32.const 7))
  (func $caller (result i32) (call_indirect (type $t) (i32.const 1)))
  (func $beyond (result i32) (call_indirect (type $t) (i32.const 5))))
;; ---
;; == x86_64 ==
;; f:
;;     push rbp
;;     mov rbp, rsp
;;     mov eax, 7
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; caller:
;;     push rbp
;;     mov rbp, rsp
;;     call f
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; beyond:
;;     push rbp
;;     mov rbp, rsp
;;     lea rsi, [rip+rodata+0x0]
;;     movsxd r8, [rsi+8]
;;     add rsi, r8
;;     call rsi
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; f:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov w2, #0x7
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; caller:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     bl f
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; beyond:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     adrp x5, page of rodata+0x0
;;     add x5, x5, low bits of rodata+0x0
;;     ldr w6, [x5, #0x8]
;;     add x5, x5, w6, sxtw
;;     blr x5
;;     ldp x29, x30, [sp], #0x10
;;     ret
