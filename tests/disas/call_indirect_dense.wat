;; A table that never changes is a dispatch table of distances in read-only data. The index is
;; clamped to the last entry, which traps, by a conditional move; no type check is left in code.
;;@ show: stubs
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
;;     lea r10, [rip+rodata+0x0]
;;     mov r11d, 4
;;     mov r9d, edx
;;     cmp edx, 4
;;     cmovae r9, r11
;;     movsxd r11, [r10+r9*4]
;;     add r11, r10
;;     call r11
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; stub: null element:
;;     push rbp
;;     mov rbp, rsp
;;     ud2  ; trap: uninitialized element
;;
;; stub: undefined element:
;;     push rbp
;;     mov rbp, rsp
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
;;     adrp x10, page of rodata+0x0
;;     add x10, x10, low bits of rodata+0x0
;;     mov x11, #0x4
;;     mov w12, w4
;;     cmp w4, #0x4
;;     csel x11, x11, x12, hs
;;     csdb
;;     ldr w12, [x10, x11, lsl #2]
;;     add x12, x10, w12, sxtw
;;     blr x12
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; stub: null element:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     udf #0xc11f  ; trap: uninitialized element
;;
;; stub: undefined element:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     udf #0xc11f  ; trap: undefined element
