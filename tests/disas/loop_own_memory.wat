;; A loop loads the base of memory 0 from the context once, to have a register of its own for it.
(module
  (memory 1)
  (func $copy (param $to i32) (param $from i32) (param $n i32)
    (loop $next
      (i64.store (local.get $to) (i64.load (local.get $from)))
      (local.set $to (i32.add (local.get $to) (i32.const 8)))
      (local.set $from (i32.add (local.get $from) (i32.const 8)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))
;; ---
;; == x86_64 ==
;; copy:
;;     push rbp
;;     mov rbp, rsp
;;     mov rax, [rdi-0x10]
;;   L0:
;;     mov edi, edx
;;     mov rdi, [rax+rdi]  ; trap: out of bounds memory access
;;     mov r8d, esi
;;     mov [rax+r8], rdi  ; trap: out of bounds memory access
;;     sub ecx, 1
;;     add esi, 8
;;     add edx, 8
;;     test ecx, ecx
;;     jne L0
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; copy:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldur x12, [x2, #-0x10]
;;   L0:
;;     ldr x13, [x12, w4, uxtw]  ; trap: out of bounds memory access
;;     str x13, [x12, w3, uxtw]  ; trap: out of bounds memory access
;;     sub w5, w5, #0x1
;;     add w3, w3, #0x8
;;     add w4, w4, #0x8
;;     cbnz w5, L0
;;     ldp x29, x30, [sp], #0x10
;;     ret
