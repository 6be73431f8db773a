;; Writes "hello\n" from two buffers. The table is at address 0, which is a valid address.
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\40\00\00\00\03\00\00\00" "\43\00\00\00\03\00\00\00")
  (data (i32.const 0x40) "hello\n")
  (func (export "_start")
    (if (call $fd_write (i32.const 1) (i32.const 0) (i32.const 2) (i32.const 0x20))
      (then unreachable))
    (if (i32.ne (i32.load (i32.const 0x20)) (i32.const 6))
      (then unreachable))))
