;; Any other shuffle of two vectors is two byte permutations and a union on x86-64, and one table
;; look-up in two adjacent registers on aarch64.
(module
  (func $f (param v128 v128) (result v128)
    (i8x16.shuffle 0 31 2 29 4 27 6 25 8 23 10 21 12 19 14 17 (local.get 0) (local.get 1)))
  (func $one_input (param v128) (result v128)
    (i8x16.shuffle 0 0 3 3 1 1 2 2 15 15 14 14 13 13 12 12 (local.get 0) (local.get 0))))
;; ---
;; == x86_64 ==
;; f:
;;     push rbp
;;     mov rbp, rsp
;;     pshufb xmm0, [rip+L0]
;;     pshufb xmm1, [rip+L1]
;;     por xmm0, xmm1
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     .byte 00 80 02 80 04 80 06 80 08 80 0a 80 0c 80 0e 80
;;   L1:
;;     .byte 80 0f 80 0d 80 0b 80 09 80 07 80 05 80 03 80 01
;;
;; one_input:
;;     push rbp
;;     mov rbp, rsp
;;     pshufb xmm0, [rip+L0]
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;   L0:
;;     .byte 00 00 03 03 01 01 02 02 0f 0f 0e 0e 0d 0d 0c 0c
;; == aarch64 ==
;; f:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldr q3, L0
;;     mov v30.16b, v0.16b
;;     mov v31.16b, v1.16b
;;     tbl v0.16b, {v30.16b, v31.16b}, v3.16b
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     .byte 00 1f 02 1d 04 1b 06 19 08 17 0a 15 0c 13 0e 11
;;
;; one_input:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     ldr q2, L0
;;     mov v31.16b, v0.16b
;;     mov v30.16b, v31.16b
;;     tbl v0.16b, {v30.16b, v31.16b}, v2.16b
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;   L0:
;;     .byte 00 00 03 03 01 01 02 02 0f 0f 0e 0e 0d 0d 0c 0c
