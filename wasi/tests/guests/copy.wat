;; Copies the file "in" of the first preopened directory to "out", four bytes at a time.
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "in")
  (data (i32.const 8) "out")
  ;; A buffer of four bytes at 0x40, described at 0x20; counts go to 0x30.
  (data (i32.const 0x20) "\40\00\00\00\04\00\00\00")

  (func $check (param $errno i32)
    (if (local.get $errno) (then unreachable)))

  (func $open (param $path i32) (param $len i32) (param $oflags i32) (param $rights i64) (result i32)
    (call $check
      (call $path_open (i32.const 3) (i32.const 0) (local.get $path) (local.get $len)
        (local.get $oflags) (local.get $rights) (i64.const 0) (i32.const 0) (i32.const 0x30)))
    (i32.load (i32.const 0x30)))

  (func (export "_start")
    (local $in i32) (local $out i32)
    (local.set $in (call $open (i32.const 0) (i32.const 2) (i32.const 0) (i64.const 2)))
    (local.set $out (call $open (i32.const 8) (i32.const 3) (i32.const 9) (i64.const 0x40)))
    (loop $again
      (call $check (call $fd_read (local.get $in) (i32.const 0x20) (i32.const 1) (i32.const 0x30)))
      (i32.store (i32.const 0x24) (i32.load (i32.const 0x30)))
      (call $check (call $fd_write (local.get $out) (i32.const 0x20) (i32.const 1) (i32.const 0x30)))
      (i32.store (i32.const 0x24) (i32.const 4))
      (br_if $again (i32.load (i32.const 0x30))))
    (call $check (call $fd_close (local.get $in)))
    (call $check (call $fd_close (local.get $out)))))
