;; A copy from a segment calls the builtin with the number of the segment.
(module
  (memory 1)
  (data $d "precast")
  (func $init (param i32)
    (memory.init $d (local.get 0) (i32.const 0) (i32.const 7)))
  (func $drop (data.drop $d)))
;; ---
;; == x86_64 ==
;; init:
;;     push rbp
;;     mov rbp, rsp
;;     xor r8d, r8d
;;     mov ecx, esi
;;     mov r9d, 7
;;     mov rdx, r8
;;     mov rsi, r8
;;     call stub: MemoryInit
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;;
;; drop:
;;     push rbp
;;     mov rbp, rsp
;;     xor esi, esi
;;     call stub: DataDrop
;;     mov rsp, rbp
;;     pop rbp
;;     ret
;; == aarch64 ==
;; init:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov w6, #0x0
;;     mov w5, w3
;;     mov w7, #0x7
;;     mov x3, x6
;;     mov x4, x6
;;     bl stub: MemoryInit
;;     ldp x29, x30, [sp], #0x10
;;     ret
;;
;; drop:
;;     stp x29, x30, [sp, #-0x10]!
;;     mov x29, sp
;;     mov w3, #0x0
;;     bl stub: DataDrop
;;     ldp x29, x30, [sp], #0x10
;;     ret
