;; A constant of up to 32 bits is an immediate of the store on x86-64. aarch64 needs a register for
;; it.
(module
  (memory 1)
  (func $zero (param i32) (i32.store (local.get 0) (i32.const 0)))
  (func $small (param i32) (i64.store (local.get 0) (i64.const -7)))
  (func $large (param i32) (i64.store (local.get 0) (i64.const 0x123456789abcdef0))))
;; ---
;; == x86_64 ==
;; zero:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     mov dword ptr [rdi+rsi], 0  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; small:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     mov qword ptr [rdi+rsi], 0xfffffffffffffff9  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; large:
;;     push rbp
;;     mov rbp, rsp
;;     mov r8, rsi
;;     mov rsi, 0x123456789abcdef0
;;     mov r8d, r8d
;;     mov [rdi+r8], rsi  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; zero:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov w4, #0x0
;;     str w4, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; small:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov x4, #0xfffffffffffffff9
;;     str x4, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; large:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov x6, #0xdef0
;;     movk x6, #0x9abc, lsl #16
;;     movk x6, #0x5678, lsl #32
;;     movk x6, #0x1234, lsl #48
;;     str x6, [x2, w3, uxtw]  ; trap: out of bounds memory access
;;     ldp x29, x30, [sp], #0x10
;;     ret
