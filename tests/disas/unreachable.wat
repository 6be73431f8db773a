;; A trap stands out of line, and the branch to it is the only cost of the path that does not trap.
(module
  (func $f (param i32) (result i32)
    (if (i32.eqz (local.get 0)) (then (unreachable)))
    (i32.mul (local.get 0) (local.get 0))))
;; ---
;; == x86_64 ==
;; f:
;;     push rbp
;;     mov rbp, rsp
;;     test esi, esi
;;     je L0
;;     mov rax, rsi
;;     imul eax, esi
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     ud2  ; trap: unreachable
;; == aarch64 ==
;; f:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     cbz w3, L0
;;     mul w2, w3, w3
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     udf #0xc11f  ; trap: unreachable
