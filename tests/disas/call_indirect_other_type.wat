;; In a table of several types, an entry of the dispatch table is a distance and the number of a
;; type. A call clamps its index and compares the number, each with a conditional move.
;;@ show: stubs
(module
  (type $t (func (result i32)))
  (type $u (func (result i64)))
  (table 2 2 funcref)
  (elem (i32.const 0) $f)
  (func $f (type $t) (i32.const 7))
  (func $caller (param i32) (result i64) (call_indirect (type $u) (local.get 0))))
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
;;     lea rcx, [rip+rodata+0x0]
;;     mov edx, 2
;;     mov eax, esi
;;     cmp esi, 2
;;     cmovae rax, rdx
;;     mov edx, [rcx+rax*8+4]
;;     cmp edx, 2
;;     jne L0
;;     xor rsi, rsi
;;     movsxd rax, [rcx+rax*8]
;;     add rax, rcx
;;     cmp edx, 2
;;     cmovne rax, rsi
;;     call rax
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     cmp esi, 2
;;     jae L1
;;     test edx, edx
;;     jne L2
;;     add rax, 1
;;     mov [rdi-0x38], rax
;;     ud2  ; trap: uninitialized element
;;   L1:
;;     ud2  ; trap: undefined element
;;   L2:
;;     ud2  ; trap: indirect call type mismatch
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
;;     mov w2, #0x7
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; caller:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     adrp x15, page of rodata+0x0
;;     add x15, x15, low bits of rodata+0x0
;;     mov x0, #0x2
;;     mov w1, w3
;;     cmp w3, #0x2
;;     csel x0, x0, x1, hs
;;     csdb
;;     lsl x4, x0, #0x3
;;     add x1, x15, x0, lsl #3
;;     ldr w1, [x1, #0x4]
;;     cmp w1, #0x2
;;     b.ne L0
;;     ldr w3, [x15, x4]
;;     mov x0, #0x0
;;     add x3, x15, w3, sxtw
;;     cmp w1, #0x2
;;     csel x0, x0, x3, ne
;;     csdb
;;     blr x0
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     cmp w3, #0x2
;;     b.hs L1
;;     cbnz w1, L2
;;     add x0, x0, #0x1
;;     stur x0, [x2, #-0x38]
;;     udf #0xc11f  ; trap: uninitialized element
;;   L1:
;;     udf #0xc11f  ; trap: undefined element
;;   L2:
;;     udf #0xc11f  ; trap: indirect call type mismatch
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
