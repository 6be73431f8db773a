;; A narrow store writes the low part of the register, with no mask of its own. A mask in the
;; program stays.
(module
  (memory 1)
  (func $i32_8 (param i32 i32) (i32.store8 (local.get 0) (local.get 1)))
  (func $i64_16 (param i32 i64) (i64.store16 (local.get 0) (local.get 1)))
  (func $i64_32 (param i32 i64) (i64.store32 (local.get 0) (local.get 1)))
  (func $masked (param i32 i32)
    (i32.store8 (local.get 0) (i32.and (local.get 1) (i32.const 255)))))
;; ---
;; == x86_64 ==
;; i32_8:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     mov [rdi+rsi], dl  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; i64_16:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     mov [rdi+rsi], dx  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; i64_32:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     mov [rdi+rsi], edx  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; masked:
;;     push rbp
;;     mov rbp, rsp
;;     and edx, 0xff
;;     mov esi, esi
;;     mov [rdi+rsi], dl  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; i32_8:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     strb w4, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; i64_16:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     strh w4, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; i64_32:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     str w4, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; masked:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     and w4, w4, #0xff
;;     strb w4, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
