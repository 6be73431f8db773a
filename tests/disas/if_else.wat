;; Both arms fall through or jump once.
(module
  (memory 1)
  (func $f (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (i32.load (i32.const 0)))
      (else (i32.load (i32.const 8))))))
;; ---
;; == x86_64 ==
;; f:
;;     push rbp
;;     mov rbp, rsp
;;     test esi, esi
;;     jne L0
;;     mov eax, [rdi+8]
;;     jmp L1
;;   L0:
;;     mov eax, [rdi]
;;   L1:
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; f:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     cbnz w3, L0
;;     ldr w2, [x2, #0x8]
;;     b L1
;;   L0:
;;     ldr w2, [x2]
;;   L1:
;;     ldp x29, x30, [sp], #0x10
;;     ret
