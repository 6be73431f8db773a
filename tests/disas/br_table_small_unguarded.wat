;; Without guards the clamp stays, since it is the bounds check; no barrier follows on aarch64.
;;@ guards: off
(module
  (func $f (param i32) (result i32)
    (block (block (block (br_table 0 1 2 (local.get 0)))
      (return (i32.const 10)))
      (return (i32.const 20)))
    (i32.const 30)))
;; ---
;; == x86_64 ==
;; f:
;;     push rbp
;;     mov rbp, rsp
;;     mov edi, 2
;;     mov r8d, esi
;;     cmp r8d, edi
;;     cmovb edi, r8d
;;     lea rcx, [rip+L0]
;;     movsxd rax, [rcx+rdi*4]
;;     add rcx, rax
;;     jmp rcx
;;   L0:
;;     .table L2, L1, L3
;;   L1:
;;     mov eax, 0x14
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L2:
;;     mov eax, 0xa
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L3:
;;     mov eax, 0x1e
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; f:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     cmp w3, #0x2
;;     mov x8, #0x2
;;     csel x8, x3, x8, lo
;;     adr x7, L0
;;     ldrsw x8, [x7, w8, uxtw #2]
;;     add x7, x7, x8
;;     br x7
;;   L0:
;;     .table L2, L1, L3
;;   L1:
;;     mov w2, #0x14
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L2:
;;     mov w2, #0xa
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L3:
;;     mov w2, #0x1e
;;     ldp x29, x30, [sp], #0x10
;;     ret
