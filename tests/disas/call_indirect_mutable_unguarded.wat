;; Without guards the checks are two comparisons with branches to traps out of line.
;;@ guards: off
(module
  (type $t (func (param i32) (result i32)))
  (table (export "t") 4 funcref)
  (func $caller (param i32 i32) (result i32)
    (call_indirect (type $t) (local.get 0) (local.get 1))))
;; ---
;; == x86_64 ==
;; caller:
;;     push rbp
;;     mov rbp, rsp
;;     mov r11d, edx
;;     cmp r11, [rdi-0x48]
;;     jae L1
;;     mov rax, [rdi-0x50]
;;     mov rcx, r11
;;     shl rcx, 5
;;     mov rdx, [rax+rcx+0x10]
;;     cmp rdx, [rip+L3]
;;     jne L0
;;     mov rdx, [rax+rcx]
;;     mov rdi, [rax+rcx+8]
;;     call rdx
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     test rdx, rdx
;;     jne L2
;;     lea rax, [r11+1]
;;     mov [rdi-0x38], rax
;;     ud2  ; trap: uninitialized element
;;   L1:
;;     ud2  ; trap: undefined element
;;   L2:
;;     ud2  ; trap: indirect call type mismatch
;;   L3:
;;     .byte f8 c5 0c 11 68 84 80 52
;; == aarch64 ==
;; caller:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldur x1, [x2, #-0x48]
;;     mov w0, w4
;;     cmp x0, x1
;;     b.hs L1
;;     ldur x1, [x2, #-0x50]
;;     lsl x4, x0, #0x5
;;     add x5, x1, x0, lsl #5
;;     ldr x6, [x5, #0x10]
;;     mov x7, #0xc5f8
;;     movk x7, #0x110c, lsl #16
;;     movk x7, #0x8468, lsl #32
;;     movk x7, #0x5280, lsl #48
;;     cmp x6, x7
;;     b.ne L0
;;     ldr x0, [x1, x4]
;;     ldr x2, [x5, #0x8]
;;     blr x0
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     cbnz x6, L2
;;     add x0, x0, #0x1
;;     stur x0, [x2, #-0x38]
;;     udf #0xc11f  ; trap: uninitialized element
;;   L1:
;;     udf #0xc11f  ; trap: undefined element
;;   L2:
;;     udf #0xc11f  ; trap: indirect call type mismatch
