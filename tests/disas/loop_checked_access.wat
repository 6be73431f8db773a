;; An access beyond the guard in a loop is checked in every turn, with its conditional move.
(module
  (memory 1)
  (func $f (param $p i32) (param $n i32) (result i64) (local $s i64)
    (loop $next
      (local.set $s (i64.add (local.get $s) (i64.load offset=0x10000000 (local.get $p))))
      (local.set $p (i32.add (local.get $p) (i32.const 8)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $s)))
;; ---
;; == x86_64 ==
;; f:
;;     push rbp
;;     mov rbp, rsp
;;     xor rax, rax
;;     mov rcx, [rdi-0x10]
;;   L0:
;;     mov r8, [rdi-8]
;;     mov r10d, esi
;;     lea r9, [r10+0x10000008]
;;     cmp r9, r8
;;     ja L1
;;     lea r10, [rcx+r10+0x10000000]
;;     xor r11, r11
;;     cmp r9, r8
;;     cmova r10, r11
;;     mov r8, [r10]  ; trap: out of bounds memory access
;;     sub edx, 1
;;     add rax, r8
;;     add esi, 8
;;     test edx, edx
;;     jne L0
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L1:
;;     ud2  ; trap: out of bounds memory access
;; == aarch64 ==
;; f:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov x0, x2
;;     mov x2, #0x0
;;     ldur x1, [x0, #-0x10]
;;   L0:
;;     ldur x5, [x0, #-0x8]
;;     mov w6, #0x8
;;     movk w6, #0x1000, lsl #16
;;     add x6, x6, w3, uxtw
;;     cmp x6, x5
;;     b.hi L1
;;     add x7, x1, w3, uxtw
;;     mov x8, #0x10000000
;;     add x7, x7, x8
;;     mov x8, #0x0
;;     cmp x6, x5
;;     csel x5, x8, x7, hi
;;     csdb
;;     ldr x5, [x5]  ; trap: out of bounds memory access
;;     sub w4, w4, #0x1
;;     add x2, x2, x5
;;     add w3, w3, #0x8
;;     cbnz w4, L0
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L1:
;;     udf #0xc11f  ; trap: out of bounds memory access
