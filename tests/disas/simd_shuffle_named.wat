;; Shuffles that an instruction exists for become that instruction on x86-64. aarch64 has zip and
;; ext so, and looks up a table for the others.
(module
  (func $reverse_words (param v128) (result v128)
    (i8x16.shuffle 12 13 14 15 8 9 10 11 4 5 6 7 0 1 2 3 (local.get 0) (local.get 0)))
  (func $interleave_low (param v128 v128) (result v128)
    (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23 (local.get 0) (local.get 1)))
  (func $interleave_high_words (param v128 v128) (result v128)
    (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get 0) (local.get 1)))
  (func $align (param v128 v128) (result v128)
    (i8x16.shuffle 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 (local.get 0) (local.get 1)))
  (func $swap_halves (param v128) (result v128)
    (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get 0) (local.get 0))))
;; ---
;; == x86_64 ==
;; reverse_words:
;;     push rbp
;;     mov rbp, rsp
;;     pshufd xmm0, xmm0, 0x1b
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; interleave_low:
;;     push rbp
;;     mov rbp, rsp
;;     punpcklbw xmm0, xmm1
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; interleave_high_words:
;;     push rbp
;;     mov rbp, rsp
;;     punpckhdq xmm0, xmm1
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; align:
;;     push rbp
;;     mov rbp, rsp
;;     movdqa xmm4, xmm0
;;     movdqa xmm0, xmm1
;;     palignr xmm0, xmm4, 3
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; swap_halves:
;;     push rbp
;;     mov rbp, rsp
;;     pshufd xmm0, xmm0, 0x4e
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; reverse_words:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldr q2, L0
;;     mov v31.16b, v0.16b
;;     mov v30.16b, v31.16b
;;     tbl v0.16b, {v30.16b, v31.16b}, v2.16b
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     .byte 0c 0d 0e 0f 08 09 0a 0b 04 05 06 07 00 01 02 03
;;
;; interleave_low:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     zip1 v0.16b, v0.16b, v1.16b
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; interleave_high_words:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     zip2 v0.4s, v0.4s, v1.4s
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; align:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ext v0.16b, v0.16b, v1.16b, #0x3
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; swap_halves:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldr q2, L0
;;     mov v31.16b, v0.16b
;;     mov v30.16b, v31.16b
;;     tbl v0.16b, {v30.16b, v31.16b}, v2.16b
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     .byte 08 09 0a 0b 0c 0d 0e 0f 00 01 02 03 04 05 06 07
