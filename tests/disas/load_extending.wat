;; A narrow load extends to the width of its result in one instruction.
(module
  (memory 1)
  (func $s8_32 (param i32) (result i32) (i32.load8_s (local.get 0)))
  (func $u8_32 (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func $s16_32 (param i32) (result i32) (i32.load16_s (local.get 0)))
  (func $u16_32 (param i32) (result i32) (i32.load16_u (local.get 0)))
  (func $s8_64 (param i32) (result i64) (i64.load8_s (local.get 0)))
  (func $u8_64 (param i32) (result i64) (i64.load8_u (local.get 0)))
  (func $s16_64 (param i32) (result i64) (i64.load16_s (local.get 0)))
  (func $u16_64 (param i32) (result i64) (i64.load16_u (local.get 0)))
  (func $s32_64 (param i32) (result i64) (i64.load32_s (local.get 0)))
  (func $u32_64 (param i32) (result i64) (i64.load32_u (local.get 0))))
;; ---
;; == x86_64 ==
;; s8_32:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     movsx rax, byte ptr [rdi+rsi]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; u8_32:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     movzx rax, byte ptr [rdi+rsi]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; s16_32:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     movsx rax, word ptr [rdi+rsi]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; u16_32:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     movzx rax, word ptr [rdi+rsi]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; s8_64:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     movsx rax, byte ptr [rdi+rsi]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; u8_64:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     movzx rax, byte ptr [rdi+rsi]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; s16_64:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     movsx rax, word ptr [rdi+rsi]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; u16_64:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     movzx rax, word ptr [rdi+rsi]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; s32_64:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     movsxd rax, [rdi+rsi]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; u32_64:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     mov eax, [rdi+rsi]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; s8_32:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldrsb x2, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; u8_32:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldrb w2, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; s16_32:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldrsh x2, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; u16_32:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldrh w2, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; s8_64:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldrsb x2, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; u8_64:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldrb w2, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; s16_64:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldrsh x2, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; u16_64:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldrh w2, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; s32_64:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldrsw x2, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; u32_64:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldr w2, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
