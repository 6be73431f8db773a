;; The index is 32 bits wide when it is scaled or shifted: no address uses bits 32 to 35
;; (CVE-2023-26489). A shift by a constant is done in a 32-bit register, never as a scale of the
;; address.
(module
  (memory 1)
  (func $shifted_1 (param i32) (result i32)
    (i32.load (i32.shl (local.get 0) (i32.const 1))))
  (func $shifted_2 (param i32) (result i32)
    (i32.load (i32.shl (local.get 0) (i32.const 2))))
  (func $shifted_3 (param i32) (result i64)
    (i64.load (i32.shl (local.get 0) (i32.const 3))))
  (func $multiplied (param i32) (result i32)
    (i32.load offset=4 (i32.mul (local.get 0) (i32.const 8)))))
;; ---
;; == x86_64 ==
;; shifted_1:
;;     push rbp
;;     mov rbp, rsp
;;     shl esi, 1
;;     mov eax, [rdi+rsi]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; shifted_2:
;;     push rbp
;;     mov rbp, rsp
;;     shl esi, 2
;;     mov eax, [rdi+rsi]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; shifted_3:
;;     push rbp
;;     mov rbp, rsp
;;     shl esi, 3
;;     mov rax, [rdi+rsi]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; multiplied:
;;     push rbp
;;     mov rbp, rsp
;;     shl esi, 3
;;     mov eax, [rdi+rsi+4]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; shifted_1:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     lsl w4, w3, #0x1
;;     ldr w2, [x2, w4, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; shifted_2:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     lsl w4, w3, #0x2
;;     ldr w2, [x2, w4, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; shifted_3:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     lsl w4, w3, #0x3
;;     ldr x2, [x2, w4, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; multiplied:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     lsl w5, w3, #0x3
;;     add x5, x2, w5, uxtw
;;     ldr w2, [x5, #0x4]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
