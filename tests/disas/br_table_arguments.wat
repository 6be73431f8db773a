;; Each target of a branch table that takes a value gets it on an edge of its own.
(module
  (func $f (param i32 i32) (result i32)
    (block (result i32)
      (i32.mul (i32.const 3)
        (block (result i32)
          (i32.add (i32.const 1)
            (block (result i32)
              (br_table 0 1 2 (local.get 1) (local.get 0)))))))))
;; ---
;; == x86_64 ==
;; f:
;;     push rbp
;;     mov rbp, rsp
;;     mov r9d, 2
;;     mov r10d, esi
;;     cmp r10d, r9d
;;     cmovb r9d, r10d
;;     lea rcx, [rip+L0]
;;     movsxd rax, [rcx+r9*4]
;;     add rcx, rax
;;     jmp rcx
;;   L0:
;;     .table L1, L2, L3
;;     .byte e9 06 00 00 00
;;   L1:
;;     add edx, 1
;;   L2:
;;     imul eax, edx, 3
;;     jmp L4
;;   L3:
;;     mov rax, rdx
;;   L4:
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; f:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     cmp w3, #0x2
;;     mov x11, #0x2
;;     csel x11, x3, x11, lo
;;     csdb
;;     adr x10, L0
;;     ldrsw x11, [x10, w11, uxtw #2]
;;     add x10, x10, x11
;;     br x10
;;   L0:
;;     .table L1, L2, L3
;;     .byte 02 00 00 14
;;   L1:
;;     add w4, w4, #0x1
;;   L2:
;;     mov w13, #0x3
;;     mul w2, w4, w13
;;     b L4
;;   L3:
;;     mov x2, x4
;;   L4:
;;     ldp x29, x30, [sp], #0x10
;;     ret
