;; On aarch64 a shift is folded into an addition, a comparison or an address only at its own width:
;; a 32-bit shift below a 64-bit operation stays a 32-bit instruction (CVE-2026-34971).
(module
  (memory 1)
  (func $add_64 (param i64 i32) (result i64)
    (i64.add (local.get 0)
      (i64.extend_i32_u (i32.shl (local.get 1) (i32.const 2)))))
  (func $add_64_signed (param i64 i32) (result i64)
    (i64.add (local.get 0)
      (i64.extend_i32_s (i32.shl (local.get 1) (i32.const 2)))))
  (func $shift_of_extended (param i64 i32) (result i64)
    (i64.add (local.get 0)
      (i64.shl (i64.extend_i32_u (local.get 1)) (i64.const 2))))
  (func $wrapped (param i32 i64) (result i32)
    (i32.add (local.get 0)
      (i32.wrap_i64 (i64.shr_u (local.get 1) (i64.const 2)))))
  (func $address (param i32) (result i64)
    (i64.load (i32.shl (local.get 0) (i32.const 3))))
  (func $compare (param i64 i32) (result i32)
    (i64.lt_u (local.get 0)
      (i64.extend_i32_u (i32.shl (local.get 1) (i32.const 3))))))
;; ---
;; == x86_64 ==
;; add_64:
;;     push rbp
;;     mov rbp, rsp
;;     shl edx, 2
;;     lea rax, [rsi+rdx]
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; add_64_signed:
;;     push rbp
;;     mov rbp, rsp
;;     shl edx, 2
;;     movsxd rdi, edx
;;     lea rax, [rsi+rdi]
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; shift_of_extended:
;;     push rbp
;;     mov rbp, rsp
;;     mov edi, edx
;;     lea rax, [rsi+rdi*4]
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; wrapped:
;;     push rbp
;;     mov rbp, rsp
;;     shr rdx, 2
;;     lea eax, [rsi+rdx]
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; address:
;;     push rbp
;;     mov rbp, rsp
;;     shl esi, 3
;;     mov rax, [rdi+rsi]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; compare:
;;     push rbp
;;     mov rbp, rsp
;;     shl edx, 3
;;     cmp rsi, rdx
;;     setb sil
;;     movzx eax, sil
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; add_64:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     lsl w4, w4, #0x2
;;     add x2, x3, w4, uxtw
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; add_64_signed:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     lsl w4, w4, #0x2
;;     add x2, x3, w4, sxtw
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; shift_of_extended:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov w4, w4
;;     add x2, x3, x4, lsl #2
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; wrapped:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     lsr x4, x4, #0x2
;;     add w2, w3, w4
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; address:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     lsl w4, w3, #0x3
;;     ldr x2, [x2, w4, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; compare:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     lsl w6, w4, #0x3
;;     mov w6, w6
;;     cmp x3, x6
;;     cset x7, lo
;;     uxtb w2, w7
;;     ldp x29, x30, [sp], #0x10
;;     ret
