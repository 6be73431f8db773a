;; Comparison and branch are fused: no flag becomes a value, and the comparison with zero needs no
;; constant.
(module
  (func $nop)
  (func $lt (param i32 i32) (if (i32.lt_s (local.get 0) (local.get 1)) (then (call $nop))))
  (func $eqz (param i64) (if (i64.eqz (local.get 0)) (then (call $nop))))
  (func $not (param i32 i32)
    (if (i32.eqz (i32.eq (local.get 0) (local.get 1))) (then (call $nop))))
  (func $bit (param i32)
    (if (i32.and (local.get 0) (i32.const 8)) (then (call $nop))))
  (func $sign (param i32)
    (if (i32.lt_s (local.get 0) (i32.const 0)) (then (call $nop))))
  (func $float (param f64 f64)
    (if (f64.le (local.get 0) (local.get 1)) (then (call $nop)))))
;; ---
;; == x86_64 ==
;; nop:
;;     push rbp
;;     mov rbp, rsp
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; lt:
;;     push rbp
;;     mov rbp, rsp
;;     cmp esi, edx
;;     jge L0
;;     call nop
;;   L0:
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; eqz:
;;     push rbp
;;     mov rbp, rsp
;;     test rsi, rsi
;;     jne L0
;;     call nop
;;   L0:
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; not:
;;     push rbp
;;     mov rbp, rsp
;;     cmp esi, edx
;;     je L0
;;     call nop
;;   L0:
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; bit:
;;     push rbp
;;     mov rbp, rsp
;;     test esi, 8
;;     je L0
;;     call nop
;;   L0:
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; sign:
;;     push rbp
;;     mov rbp, rsp
;;     test esi, esi
;;     jge L0
;;     call nop
;;   L0:
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; float:
;;     push rbp
;;     mov rbp, rsp
;;     ucomisd xmm1, xmm0
;;     jb L0
;;     call nop
;;   L0:
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; nop:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; lt:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     cmp w3, w4
;;     b.ge L0
;;     bl nop
;;   L0:
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; eqz:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     cbnz x3, L0
;;     bl nop
;;   L0:
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; not:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     cmp w3, w4
;;     b.eq L0
;;     bl nop
;;   L0:
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; bit:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     tbz w3, #0x3, L0
;;     bl nop
;;   L0:
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; sign:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     cmp w3, #0x0
;;     b.ge L0
;;     bl nop
;;   L0:
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; float:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     fcmp d0, d1
;;     b.hi L0
;;     bl nop
;;   L0:
;;     ldp x29, x30, [sp], #0x10
;;     ret
