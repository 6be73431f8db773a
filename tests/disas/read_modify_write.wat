;; Load, operation and store of 32 bits at one address are one instruction on x86-64; of 8 bits
;; they are three.
(module
  (memory 1)
  (func $add (param i32 i32)
    (i32.store offset=8 (local.get 0)
      (i32.add (i32.load offset=8 (local.get 0)) (local.get 1))))
  (func $or8 (param i32 i32)
    (i32.store8 (local.get 0) (i32.or (i32.load8_u (local.get 0)) (local.get 1)))))
;; ---
;; == x86_64 ==
;; add:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     add [rdi+rsi+8], edx  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; or8:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     movzx r8, byte ptr [rdi+rsi]  ; trap: out of bounds memory access
;;     or r8d, edx
;;     mov [rdi+rsi], r8b  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; add:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     add x6, x2, w3, uxtw
;;     ldr w7, [x6, #0x8]  ; trap: out of bounds memory access
;;     add w7, w7, w4
;;     str w7, [x6, #0x8]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; or8:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldrb w5, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     orr w5, w5, w4
;;     strb w5, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
