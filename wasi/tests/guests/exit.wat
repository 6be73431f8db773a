;; Ends with the code it is given, and must not go on.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (func (export "exit") (param i32)
    (call $proc_exit (local.get 0))
    unreachable))
