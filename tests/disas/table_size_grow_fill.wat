;; The size is a load; growth and fill call their builtins.
(module
  (table $x (export "x") 4 externref)
  (func $size (result i32) (table.size $x))
  (func $grow (param externref i32) (result i32) (table.grow $x (local.get 0) (local.get 1)))
  (func $fill (param i32 externref i32)
    (table.fill $x (local.get 0) (local.get 1) (local.get 2))))
;; ---
;; == x86_64 ==
;; size:
;;     push rbp
;;     mov rbp, rsp
;;     mov rax, [rdi-0x48]
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; grow:
;;     push rbp
;;     mov rbp, rsp
;;     mov rcx, rsi
;;     xor esi, esi
;;     mov edx, edx
;;     call stub: TableGrow
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; fill:
;;     push rbp
;;     mov rbp, rsp
;;     mov rax, rsi
;;     mov r9, rdx
;;     xor esi, esi
;;     mov edx, eax
;;     mov r8d, ecx
;;     mov rcx, r9
;;     call stub: TableFill
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; size:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldur x2, [x2, #-0x48]
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; grow:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov x5, x3
;;     mov w3, #0x0
;;     mov w4, w4
;;     bl stub: TableGrow
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; fill:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov x9, x4
;;     mov w7, #0x0
;;     mov w4, w3
;;     mov w6, w5
;;     mov x3, x7
;;     mov x5, x9
;;     bl stub: TableFill
;;     ldp x29, x30, [sp], #0x10
;;     ret
