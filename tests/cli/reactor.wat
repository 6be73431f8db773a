;; A reactor with a state: `init` adds to it, `open` opens the file "new" in the first directory.
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get"
    (func $args (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "new")
  (global $state (mut i32) (i32.const 0))
  (func (export "_initialize")
    ;; It must not run twice.
    (if (global.get $state) (then (unreachable)))
    (global.set $state (i32.const 1)))
  (func (export "init") (param i32)
    (global.set $state (i32.add (global.get $state) (local.get 0)))
    (i32.store (i32.const 60000) (local.get 0)))
  (func (export "state") (result i32 i32)
    (global.get $state) (i32.load (i32.const 60000)))
  (func (export "arguments") (result i32)
    (drop (call $args (i32.const 100) (i32.const 104)))
    (i32.load (i32.const 100)))
  (func (export "open") (result i32)
    (call $open
      (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 3)
      (i32.const 1)                       ;; oflags: creat
      (i64.const 0x40) (i64.const 0)      ;; rights: fd_write
      (i32.const 0) (i32.const 16))))
