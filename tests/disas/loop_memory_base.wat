;; A loop over an imported memory keeps its base in a register: the loop has one load, that of the
;; element.
(module
  (import "m" "m" (memory 1))
  (func $sum (param $p i32) (param $end i32) (result i32) (local $s i32)
    (loop $next
      (local.set $s (i32.add (local.get $s) (i32.load (local.get $p))))
      (local.set $p (i32.add (local.get $p) (i32.const 4)))
      (br_if $next (i32.lt_u (local.get $p) (local.get $end))))
    (local.get $s)))
;; ---
;; == x86_64 ==
;; sum:
;;     push rbp
;;     mov rbp, rsp
;;     xor eax, eax
;;     mov rcx, [rdi-0x48]
;;   L0:
;;     mov edi, esi
;;     mov edi, [rcx+rdi]  ; trap: out of bounds memory access
;;     add esi, 4
;;     add eax, edi
;;     cmp esi, edx
;;     jb L0
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; sum:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov w5, #0x0
;;     ldur x10, [x2, #-0x48]
;;   L0:
;;     ldr w11, [x10, w3, uxtw]  ; trap: out of bounds memory access
;;     add w3, w3, #0x4
;;     mov x2, x5
;;     add w2, w2, w11
;;     cmp w3, w4
;;     b.hs L1
;;     mov x5, x2
;;     b L0
;;   L1:
;;     ldp x29, x30, [sp], #0x10
;;     ret
