;; Preview 0: exits with the link count, the size and the position of `file`, added up.
(module
  (import "wasi_unstable" "path_open" (func $open
    (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_unstable" "fd_filestat_get" (func $stat (param i32 i32) (result i32)))
  (import "wasi_unstable" "fd_seek" (func $seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_unstable" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  ;; 0: the descriptor; 8: a filestat of 56 bytes; 80: the position
  (data (i32.const 100) "file")
  (func (export "_start")
    (call $check (call $open (i32.const 3) (i32.const 0) (i32.const 100) (i32.const 4)
      (i32.const 0) (i64.const 0x20_0026) (i64.const 0) (i32.const 0) (i32.const 0)))
    (call $check (call $stat (i32.load (i32.const 0)) (i32.const 8)))
    ;; 1 is "from the end", 0 "from the position"
    (call $check (call $seek (i32.load (i32.const 0)) (i64.const -5) (i32.const 1) (i32.const 80)))
    (call $check (call $seek (i32.load (i32.const 0)) (i64.const 2) (i32.const 0) (i32.const 80)))
    (call $exit (i32.add
      (i32.add (i32.load (i32.const 28)) (i32.load (i32.const 32)))
      (i32.load (i32.const 80)))))
  (func $check (param $errno i32)
    (if (local.get $errno) (then (call $exit (i32.const 99))))))
