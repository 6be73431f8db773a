;; Of two functions that call each other, one check on the cycle suffices.
(module
  (func $even (param i32) (result i32)
    (if (result i32) (i32.eqz (local.get 0))
      (then (i32.const 1))
      (else (call $odd (i32.sub (local.get 0) (i32.const 1))))))
  (func $odd (param i32) (result i32)
    (if (result i32) (i32.eqz (local.get 0))
      (then (i32.const 0))
      (else (call $even (i32.sub (local.get 0) (i32.const 1)))))))
;; ---
;; == x86_64 ==
;; even:
;;     push rbp
;;     mov rbp, rsp
;;     mov r8, [rdi-0x18]
;;     mov r9, rsp
;;     cmp r9, [r8]
;;     jb L2
;;     test esi, esi
;;     je L0
;;     sub esi, 1
;;     call odd
;;     jmp L1
;;   L0:
;;     mov eax, 1
;;   L1:
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L2:
;;     ud2  ; trap: call stack exhausted
;;
;; odd:
;;     push rbp
;;     mov rbp, rsp
;;     test esi, esi
;;     je L0
;;     sub esi, 1
;;     call even
;;     jmp L1
;;   L0:
;;     xor eax, eax
;;   L1:
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; even:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldur x9, [x2, #-0x18]
;;     ldr x9, [x9]
;;     mov x10, sp
;;     cmp x10, x9
;;     b.lo L2
;;     cbz w3, L0
;;     sub w3, w3, #0x1
;;     bl odd
;;     b L1
;;   L0:
;;     mov w2, #0x1
;;   L1:
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L2:
;;     udf #0xc11f  ; trap: call stack exhausted
;;
;; odd:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     cbz w3, L0
;;     sub w3, w3, #0x1
;;     bl even
;;     b L1
;;   L0:
;;     mov w2, #0x0
;;   L1:
;;     ldp x29, x30, [sp], #0x10
;;     ret
