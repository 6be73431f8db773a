;; With AVX2 a splat is one broadcast.
;;@ targets: x86-64-v3
(module
  (memory 1)
  (func $i8 (param i32) (result v128) (i8x16.splat (local.get 0)))
  (func $load16 (param i32) (result v128) (v128.load16_splat (local.get 0)))
  (func $load32 (param i32) (result v128) (v128.load32_splat (local.get 0))))
;; ---
;; == x86-64-v3 ==
;; i8:
;;     push rbp
;;     mov rbp, rsp
;;     vmovd xmm2, esi
;;     vpbroadcastb xmm0, xmm2
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; load16:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     vpbroadcastw xmm0, [rdi+rsi]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; load32:
;;     push rbp
;;     mov rbp, rsp
;;     mov esi, esi
;;     vbroadcastss xmm0, [rdi+rsi]  ; trap: out of bounds memory access
;;     mov rsp, rbp
;;     pop rbp
;;     ret
