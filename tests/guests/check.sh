#!/usr/bin/env bash
# check.sh - runs the cases of cases.tsv and compares standard output and exit status.
#
# Usage: tests/guests/check.sh [--native] [--update] [NAME...]     (default: every case)
#
#   RUNTIME   runs a module: RUNTIME [--dir HOST::GUEST] [--env NAME=VALUE] MODULE ARG...
#             default: wasmtime run
#   --native  builds the sources natively (CC, CARGO, GO; default gcc, cargo, go) and runs those
#             instead, in the folder that would be mounted; skips cases of origin "guest"
#   --update  writes the expected files instead: with --native those of origin "native",
#             without it those of origin "guest"
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
here=$PWD

RUNTIME=${RUNTIME:-wasmtime run}
CC=${CC:-gcc}
CARGO=${CARGO:-cargo}
GO=${GO:-go}

native=false update=false names=()
for arg in "$@"; do
    case $arg in
    --native) native=true ;;
    --update) update=true ;;
    -*)
        echo "usage: check.sh [--native] [--update] [NAME...]" >&2
        exit 2
        ;;
    *) names+=("$arg") ;;
    esac
done

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

wanted() {
    local name
    [ ${#names[@]} -gt 0 ] || return 0
    for name in "${names[@]}"; do
        [ "$name" = "$1" ] && return 0
    done
    return 1
}

# native_program MODULE: the path of its native build, made on first use.
native_program() {
    local base=${1%.wasm}
    local program=$scratch/native/$base
    if [ ! -x "$program" ]; then
        mkdir -p "$(dirname "$program")"
        case $base in
        programs/gz/gz) $CC -O2 -std=gnu11 -o "$program" programs/gz/*.c ;;
        programs/minisql/minisql)
            (cd programs/minisql && CARGO_TARGET_DIR="$scratch/cargo" $CARGO build --quiet --locked --release)
            cp "$scratch/cargo/release/minisql" "$program"
            ;;
        programs/logstat/logstat) (cd programs/logstat && $GO build -buildvcs=false -o "$program" .) ;;
        *) $CC -O2 -std=gnu11 -ffp-contract=off -o "$program" "$base.c" -lm ;;
        esac
    fi
    echo "$program"
}

# Sets the command for a case from its columns.
prepare() {
    local module=$1 mounts=$2 env=$3 mount host
    shift 3
    folder=$here
    local variables=()
    [ "$env" = - ] || IFS=, read -ra variables <<<"$env"
    if $native; then
        [ "$mounts" = - ] || folder=$here/${mounts%%::*}
        command=(env -i ${variables[@]+"${variables[@]}"} "$(native_program "$module")" "$@")
        return
    fi
    command=($RUNTIME)
    if [ "$mounts" != - ]; then
        local list
        IFS=, read -ra list <<<"$mounts"
        for mount in "${list[@]}"; do
            host=$here/${mount%%::*}
            [ "${mount%%::*}" != @ ] || host=$(mktemp -d "$scratch/mount.XXXXXX")
            command+=(--dir "$host::${mount#*::}")
        done
    fi
    for variable in ${variables[@]+"${variables[@]}"}; do
        command+=(--env "$variable")
    done
    command+=("$module" "$@")
}

passed=0 failed=0
while IFS= read -r line <&3; do
    case $line in '#'* | '') continue ;; esac
    IFS=$'\t' read -ra column <<<"$line"
    name=${column[0]} expected_status=${column[2]} origin=${column[3]} stdin=${column[4]}
    wanted "$name" || continue
    if $native && [ "$origin" = guest ]; then continue; fi
    if $update && ! $native && [ "$origin" = native ]; then continue; fi
    [ "$stdin" != - ] || stdin=/dev/null

    prepare "${column[1]}" "${column[5]}" "${column[6]}" "${column[@]:7}"
    status=0
    (cd "$folder" && exec "${command[@]}") \
        <"$stdin" >"$scratch/stdout" 2>"$scratch/stderr" || status=$?

    problem=
    case $expected_status in
    trap) [ $status -ne 0 ] || problem="exited normally instead of trapping" ;;
    *) [ $status -eq "$expected_status" ] || problem="exit status $status instead of $expected_status" ;;
    esac
    if $update; then
        cp "$scratch/stdout" "expected/$name.txt"
    elif ! cmp -s "$scratch/stdout" "expected/$name.txt"; then
        problem="${problem:+$problem; }output differs"
    fi
    if [ -z "$problem" ]; then
        passed=$((passed + 1))
        continue
    fi
    failed=$((failed + 1))
    echo "FAILED $name: $problem"
    $update || diff "expected/$name.txt" "$scratch/stdout" | head -n 10 | sed 's/^/    /' || true
    head -n 5 "$scratch/stderr" | sed 's/^/    stderr: /'
done 3<cases.tsv

echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
