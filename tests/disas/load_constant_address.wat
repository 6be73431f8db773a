;; A constant address is a displacement from the context pointer on x86-64. An access below the
;; least size of memory cannot trap and has no entry in the trap table; one beyond it faults in the
;; reservation.
(module
  (memory 1)
  (func $inside (result i32)
    (i32.load (i32.const 1024)))
  (func $beyond (result i32)
    (i32.load (i32.const 0x20000)))
  (func $negative (result i32)
    (i32.load (i32.const -4))))
;; ---
;; == x86_64 ==
;; inside:
;;     push rbp
;;     mov rbp, rsp
;;     mov eax, [rdi+0x400]
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; beyond:
;;     push rbp
;;     mov rbp, rsp
;;     mov eax, [rdi+0x20000]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; negative:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, 0xfffffffc
;;     mov eax, [rdi+rsi]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; inside:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldr w2, [x2, #0x400]
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; beyond:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov x3, #0x20000
;;     ldr w2, [x2, x3]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; negative:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov x3, #0xfffffffc
;;     ldr w2, [x2, x3]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
