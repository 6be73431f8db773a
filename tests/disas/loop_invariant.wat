;; A product that does not change is computed before the loop on x86-64. aarch64 folds it into a
;; multiply-add in the loop.
(module
  (memory 1)
  (func $f (param $p i32) (param $n i32) (param $a i32) (param $b i32)
    (loop $next
      (i32.store (local.get $p)
        (i32.add (local.get $n) (i32.mul (local.get $a) (local.get $b))))
      (local.set $p (i32.add (local.get $p) (i32.const 4)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))
;; ---
;; == x86_64 ==
;; f:
;;     push rbp
;;     mov rbp, rsp
;;     imul ecx, r8d
;;     mov rax, [rdi-0x10]
;;   L0:
;;     lea edi, [rdx+rcx]
;;     mov r8d, esi
;;     mov [rax+r8], edi  ; trap: out of bounds memory access
;;     sub edx, 1
;;     add esi, 4
;;     test edx, edx
;;     jne L0
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; f:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldur x11, [x2, #-0x10]
;;   L0:
;;     madd w12, w5, w6, w4
;;     str w12, [x11, w3, uxtw]  ; trap: out of bounds memory access
;;     sub w4, w4, #0x1
;;     add w3, w3, #0x4
;;     cbnz w4, L0
;;     ldp x29, x30, [sp], #0x10
;;     ret
