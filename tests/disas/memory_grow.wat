;; Growth calls the stub of its builtin; the stub compares the stack pointer and calls the runtime.
;;@ show: stubs
(module
  (memory 1)
  (func $grow (param i32) (result i32) (memory.grow (local.get 0))))
;; ---
;; == x86_64 ==
;; grow:
;;     push rbp
;;     mov rbp, rsp
;;     mov r9, rsi
;;     xor esi, esi
;;     mov edx, r9d
;;     call stub: MemoryGrow
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; stub: MemoryGrow:
;;     push rbp
;;     mov rbp, rsp
;;     mov r8, [rdi-0x18]
;;     mov r9, rsp
;;     cmp r9, [r8]
;;     jb L0
;;     mov r10, [rdi-0x20]
;;     mov r10, [r10]
;;     call r10
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     ud2  ; trap: call stack exhausted
;; == aarch64 ==
;; grow:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov x7, x3
;;     mov w3, #0x0
;;     mov w4, w7
;;     bl stub: MemoryGrow
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; stub: MemoryGrow:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldur x9, [x2, #-0x18]
;;     ldr x9, [x9]
;;     mov x10, sp
;;     cmp x10, x9
;;     b.lo L0
;;     ldur x11, [x2, #-0x20]
;;     ldr x11, [x11]
;;     mov x1, x3
;;     mov x0, x2
;;     mov x2, x4
;;     blr x11
;;     mov x2, x0
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     udf #0xc11f  ; trap: call stack exhausted
