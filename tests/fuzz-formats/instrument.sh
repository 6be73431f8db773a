#!/bin/sh
# A wrapper of rustc for `run.sh`: compiles precast's crates and the targets with the sanitizer, and
# with cargo-fuzz's settings for coverage and comparisons. Cranelift is compiled without them, which
# takes a third of the time; it runs faster, and its coverage does not distract the fuzzer.
case "$*" in
*"--crate-name precast"* | *" bin/"*)
    exec "$@" --cfg fuzzing -Zsanitizer=address -Cpasses=sancov-module \
        -Cllvm-args=-sanitizer-coverage-level=4 \
        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
        -Cllvm-args=-sanitizer-coverage-pc-table \
        -Cllvm-args=-sanitizer-coverage-trace-compares
    ;;
esac
exec "$@"
