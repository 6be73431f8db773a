;; Without guards the index is compared and a branch leads to the trap: no clamp, and no barrier on
;; aarch64.
;;@ guards: off
(module
  (type $t (func (param i32) (result i32)))
  (table 4 4 funcref)
  (elem (i32.const 0) $f $g $f)
  (func $f (type $t) (local.get 0))
  (func $g (type $t) (i32.const 7))
  (func $caller (param i32 i32) (result i32)
    (call_indirect (type $t) (local.get 0) (local.get 1))))
;; ---
;; == x86_64 ==
;; f:
;;     push rbp
;;     mov rbp, rsp
;;     mov rax, rsi
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; g:
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
;;     cmp edx, 4
;;     jae L0
;;     lea r10, [rip+rodata+0x0]
;;     mov r11d, edx
;;     movsxd r11, [r10+r11*4]
;;     add r10, r11
;;     call r10
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     ud2  ; trap: undefined element
;; == aarch64 ==
;; f:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov x2, x3
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; g:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov w2, #0x7
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; caller:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     cmp w4, #0x4
;;     b.hs L0
;;     adrp x9, page of rodata+0x0
;;     add x9, x9, low bits of rodata+0x0
;;     ldr w10, [x9, w4, uxtw #2]
;;     add x9, x9, w10, sxtw
;;     blr x9
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     udf #0xc11f  ; trap: undefined element
