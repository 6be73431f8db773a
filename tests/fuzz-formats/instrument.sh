#!/bin/sh
# A wrapper of rustc for `run.sh`: precast's own crates and the targets get the sanitizer, and
# cargo-fuzz's settings for coverage of edges and hints from comparisons. Without them Cranelift
# compiles in a third of the time, runs faster, and does not attract the fuzzer.
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
