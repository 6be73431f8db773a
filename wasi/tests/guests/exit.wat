;; Ends with the given code. No instruction after the call may run.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (func (export "exit") (param i32)
    (call $proc_exit (local.get 0))
    unreachable))
