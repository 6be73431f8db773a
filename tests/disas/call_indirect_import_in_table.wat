;; An import in a table that never changes is reached by a forwarder, a stub that loads the context
;; of the import.
;;@ show: stubs
(module
  (type $t (func (result i32)))
  (import "m" "f" (func $f (type $t)))
  (table 1 1 funcref)
  (elem (i32.const 0) $f)
  (func $caller (param i32) (result i32) (call_indirect (type $t) (local.get 0))))
;; ---
;; == x86_64 ==
;; caller:
;;     push rbp
;;     mov rbp, rsp
;;     lea r9, [rip+rodata+0x0]
;;     mov r10d, 1
;;     mov r8d, esi
;;     test esi, esi
;;     cmovne r8, r10
;;     movsxd r10, [r9+r8*4]
;;     add r10, r9
;;     call r10
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; stub: undefined element:
;;     push rbp
;;     mov rbp, rsp
;;     ud2  ; trap: undefined element
;;
;; stub: forwarder to import 0:
;;     mov rax, [rdi-0x80]
;;     mov rdi, [rdi-0x78]
;;     jmp rax
;; == aarch64 ==
;; caller:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     adrp x9, page of rodata+0x0
;;     add x9, x9, low bits of rodata+0x0
;;     mov x10, #0x1
;;     mov w11, w3
;;     cmp w3, wzr
;;     csel x10, x10, x11, ne
;;     csdb
;;     ldr w11, [x9, x10, lsl #2]
;;     add x11, x9, w11, sxtw
;;     blr x11
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; stub: undefined element:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     udf #0xc11f  ; trap: undefined element
;;
;; stub: forwarder to import 0:
;;     mov w16, #0xff80
;;     movk w16, #0xffff, lsl #16
;;     add x16, x2, w16, sxtw
;;     ldr x17, [x16]
;;     ldr x2, [x16, #0x8]
;;     br x17
