;; Each trap has an instruction of its own, so that its place in the module is known.
(module
  (func $f (param i32 i32) (result i32)
    (i32.add
      (i32.div_u (local.get 0) (local.get 1))
      (i32.rem_u (local.get 1) (local.get 0)))))
;; ---
;; == x86_64 ==
;; f:
;;     push rbp
;;     mov rbp, rsp
;;     mov rax, rdx
;;     xor rdx, rdx
;;     mov rcx, rax
;;     mov rax, rsi
;;     div ecx  ; trap: integer divide by zero
;;     mov rdi, rax
;;     xor rdx, rdx
;;     mov rax, rcx
;;     div esi  ; trap: integer divide by zero
;;     mov rax, rdi
;;     add eax, edx
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; f:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     cbz w4, L0
;;     udiv w7, w3, w4
;;     cbz w3, L1
;;     udiv w8, w4, w3
;;     msub w9, w8, w3, w4
;;     add w2, w7, w9
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     udf #0xc11f  ; trap: integer divide by zero
;;   L1:
;;     udf #0xc11f  ; trap: integer divide by zero
