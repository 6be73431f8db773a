#!/usr/bin/env bash
# Fuzzes a target: tests/fuzz-formats/run.sh TARGET SECONDS [OPTIONS OF LIBFUZZER]...
#
# Inputs with new coverage go to corpus/TARGET, which is minimised at the end. Cases that fail go to
# findings/TARGET; after the fix they are kept in cases/TARGET. Needs a nightly compiler with the
# runtime of AddressSanitizer, and a C++ compiler for libFuzzer. `run.sh TARGET 0` only builds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
target=${1:?a target: one of $(ls bin | sed 's/\.rs$//' | tr '\n' ' ')}
seconds=${2:?how many seconds}
shift 2

machine=$(rustc +nightly -vV | sed -n 's/^host: //p')
RUSTC_WRAPPER=$PWD/instrument.sh \
    cargo +nightly build --release --locked --features fuzz --bin "$target" --target "$machine"
[ "$seconds" != 0 ] || exit 0

# The compiler's thread pool has one thread, so that a case behaves the same every time.
export RAYON_NUM_THREADS=1
# The runtime's handlers see faults before those of AddressSanitizer. Leaks are not detected: other
# tests do that, and types that a process has used stay.
export ASAN_OPTIONS=detect_leaks=0:allow_user_segv_handler=1:handle_segv=1
binary=target/$machine/release/$target
mkdir -p "corpus/$target" "findings/$target" "cases/$target"
# Folders for guests and caches, in memory.
[ ! -d /dev/shm ] || export TMPDIR=/dev/shm
"$binary" "corpus/$target" "cases/$target" -max_total_time="$seconds" -max_len=512 \
    -timeout=20 -rss_limit_mb=4096 \
    -artifact_prefix="findings/$target/" "$@"
# Keeps only inputs whose coverage no smaller input has.
merged=$(mktemp -d)
"$binary" -merge=1 -max_len=512 "$merged" "corpus/$target" 2> /dev/null
rm -rf "corpus/$target"
mv "$merged" "corpus/$target"
chmod 755 "corpus/$target"
