;; A branch table with one target beside the default is still a jump through a table.
(module
  (func $f (param i32) (result i32)
    (block (block (br_table 0 1 (local.get 0)))
      (return (i32.const 10)))
    (i32.const 20)))
;; ---
;; == x86_64 ==
;; f:
;;     push rbp
;;     mov rbp, rsp
;;     mov r10, rsi
;;     mov esi, 1
;;     mov edi, r10d
;;     cmp edi, esi
;;     cmovb esi, edi
;;     lea r11, [rip+L0]
;;     movsxd rax, [r11+rsi*4]
;;     add r11, rax
;;     jmp r11
;;   L0:
;;     .table L1, L2
;;   L1:
;;     mov eax, 0xa
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L2:
;;     mov eax, 0x14
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; f:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     cmp w3, #0x1
;;     mov x7, #0x1
;;     csel x7, x3, x7, lo
;;     csdb
;;     adr x6, L0
;;     ldrsw x7, [x6, w7, uxtw #2]
;;     add x6, x6, x7
;;     br x6
;;   L0:
;;     .table L1, L2
;;   L1:
;;     mov w2, #0xa
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L2:
;;     mov w2, #0x14
;;     ldp x29, x30, [sp], #0x10
;;     ret
