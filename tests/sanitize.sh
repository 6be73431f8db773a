#!/usr/bin/env bash
# Runs the tests under AddressSanitizer (with LeakSanitizer) or ThreadSanitizer, on x86-64 Linux,
# and counts their reports.
#
#   tests/sanitize.sh address|thread            every test that can run there
#   tests/sanitize.sh address|thread quick      the tests of unsafe code: runtime, tests/embed
#   tests/sanitize.sh address|thread ARGS...    `cargo test ARGS`
#
# Needs a nightly toolchain, PRECAST_SANITIZE_TOOLCHAIN or `nightly`. ThreadSanitizer must see the
# standard library's locks, so that is built too: from the toolchain's component rust-src or, where
# that is missing, from Debian's package of the same release, unpacked to target/sanitize/std.
# Exit code 69: something cannot be obtained, nothing was tested. 1: a test failed, or a report.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly UNAVAILABLE=69
TOOLCHAIN=${PRECAST_SANITIZE_TOOLCHAIN:-nightly}
KIND=${1:-}
case $KIND in
address) RUNTIME=asan ;;
thread) RUNTIME=tsan ;;
*)
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
shift
FOLDER=$PWD/target/sanitize/$KIND

unavailable() {
    echo "sanitize: NOT TESTED: $*" >&2
    exit $UNAVAILABLE
}

# --- Tools -------------------------------------------------------------------------------------

SYSROOT=$(rustc "+$TOOLCHAIN" --print sysroot 2>/dev/null) || unavailable "no toolchain $TOOLCHAIN"
TARGET=$(rustc "+$TOOLCHAIN" -vV | sed -n 's/^host: //p')
ls "$SYSROOT/lib/rustlib/$TARGET/lib/"*"_rt.$RUNTIME.a" >/dev/null 2>&1 ||
    unavailable "$TOOLCHAIN has no runtime of the $KIND sanitizer"

# Unpacks the standard library's sources from Debian, with a separate list of packages.
unpack_std() {
    local to=$1 mirror
    mirror=$(awk '$1 == "URIs:" { print $2; exit } $1 == "deb" { print $2; exit }' \
        $(ls /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null) || true)
    [ -n "$mirror" ] || unavailable "no rust-src, and this machine has no Debian packages"
    echo "sanitize: unpacking the standard library's sources" >&2
    rm -rf "$to"
    mkdir -p "$to"/apt/{lists/partial,cache/archives/partial,state}
    : >"$to/apt/status"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror testing main" \
        >"$to/apt/sources.list"
    cat >"$to/apt/apt.conf" <<CONF
Dir::State "$to/apt/state"; Dir::State::lists "$to/apt/lists"; Dir::State::status "$to/apt/status";
Dir::Cache "$to/apt/cache"; Dir::Etc::sourcelist "$to/apt/sources.list";
Dir::Etc::sourceparts "/nonexistent"; APT::Sandbox::User "root"; Debug::NoLocking "true";
CONF
    (
        export APT_CONFIG=$to/apt/apt.conf
        cd "$to" && apt-get -qq update >&2 && apt-get -qq download rust-src >&2
    ) || unavailable "no rust-src from Debian"
    dpkg-deb --extract "$to"/rust-src_*.deb "$to"
    rm -rf "$to/apt" "$to"/rust-src_*.deb
}

# Sets LIBRARY, the folder with the sources of the standard library.
find_std() {
    LIBRARY=$SYSROOT/lib/rustlib/src/rust/library
    [ -e "$LIBRARY/std/Cargo.toml" ] && return 0
    local release
    release=$(rustc "+$TOOLCHAIN" -vV | sed -n 's/^release: \([0-9]*\.[0-9]*\).*/\1/p')
    library() { ls -d "$PWD/target/sanitize/std/usr/src/rustc-$release".*/library 2>/dev/null | head -1 || true; }
    LIBRARY=$(library)
    [ -n "$LIBRARY" ] || unpack_std "$PWD/target/sanitize/std"
    LIBRARY=$(library)
    [ -n "$LIBRARY" ] || unavailable "no sources of the standard library $release"
}

# --- Tests that cannot run ----------------------------------------------------------------------
#
# - Doctests: each is a separate program, and they test nothing that the other tests do not.
# - Machine code of guests: it has no instrumentation, so a guest's accesses and races are not seen.
#   Those of the runtime are.
# - `cli`, bad_input::a_memory_the_system_refuses and little_address_space: limit the address space of a
#   process to 1 or 2 GiB, and shadow memory takes terabytes of it.
# - `churn`, `flat` and wasi's `random_calls` compare the memory of the process before and after, and
#   AddressSanitizer keeps 256 MB of freed memory. They run separately, where it keeps 1 MB.
# - `what_is_dropped_is_given_back` of tests/embed counts the mappings and the pages of the process,
#   and sanitizers have mappings of their own. So do `dropped_futures_leave_nothing_behind` and
#   `ten_thousand_guests_wait_in_a_gigabyte` of tests/async; AddressSanitizer has megabytes for each stack.
# - `a_forgotten_call` of tests/async leaks what it says. It runs separately, without LeakSanitizer.
# - Under ThreadSanitizer, interrupts: it delays a signal until the thread enters a function that it
#   knows, which a guest in a loop never does. So tests of interrupts in tests/embed and `--timeout` of the
#   command run under AddressSanitizer alone. So do `forked_child` of tests/fork.rs: deadlines again, and
#   forks by a raw system call, after which ThreadSanitizer's own threads and locks are gone.
#   No instance of `churn` is interrupted there. The server of `examples` is not told by a signal to end.
# - Under ThreadSanitizer, `fibers` of tests/async: it must be told of each switch of stacks, and
#   corosensei tells only AddressSanitizer.
# - `churn` does not compare memory and mappings under ThreadSanitizer, for the reason that follows: 8.2 KB
#   an instance, in proportion to the instances (10,000: 82 MB, 20,000: 165 MB).
# - `random_calls` makes 40,000 calls under ThreadSanitizer, not 200,000. A host function that fails
#   leaves entries on ThreadSanitizer's own stack of calls, and each deeper stack that it records takes
#   memory: 1.15 KB a call, in proportion to the calls (100,000: 115 MB, 400,000: 464 MB).

readonly QUICK=(-p precast-runtime -p precast --lib --test smoke --test embed)
readonly ALL=(--workspace --lib --bins --tests)
SKIPPED=(
    a_memory_the_system_refuses little_address_space what_is_dropped_is_given_back
    dropped_futures_leave_nothing_behind ten_thousand_guests_wait_in_a_gigabyte
)
[ "$KIND" != thread ] ||
    SKIPPED+=(fibers:: interrupt:: interrupted_instance is_stopped_after_its_time
        signal_of_interrupts forked_child the_server_answers)
readonly SKIPPED
readonly MEASURING=(nothing_grows memory_stays_flat random_calls_do_no_harm)
readonly LEAKING=(a_forgotten_call)

# --- Running -----------------------------------------------------------------------------------

reports=$FOLDER/reports
log=$FOLDER/log
rm -rf "$reports"
mkdir -p "$reports"

# Faults are left to the handlers of the runtime and of std, as without a sanitizer: a fault in the
# host is a crash, and so a failed test.
options=handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:handle_abort=0
options+=:use_sigaltstack=0:log_path=$reports/report
case $KIND in
address)
    # The standard library is not instrumented, so its generic functions are compiled with the
    # crates that use them instead of taken from it. The setting has it told of each switch of stacks.
    flags="-Zsanitizer=address -Zshare-generics=no -Cunsafe-allow-abi-mismatch=sanitizer"
    flags+=" -Cforce-frame-pointers=yes --cfg address_sanitizer"
    std=()
    export ASAN_OPTIONS=$options:detect_leaks=1:detect_stack_use_after_return=1
    ;;
thread)
    find_std
    export __CARGO_TESTS_ONLY_SRC_ROOT=$LIBRARY
    flags="-Zsanitizer=thread -Cforce-frame-pointers=yes"
    std=(-Zbuild-std)
    export TSAN_OPTIONS=$options:second_deadlock_stack=1:history_size=4
    export PRECAST_RANDOM_CALLS=40000 PRECAST_NO_INTERRUPTS=1 PRECAST_MEMORY_GROWS=1
    ;;
esac

: >"$log"
status=0
cargo_with() {
    local command=$1
    shift
    RUSTFLAGS=$flags CARGO_INCREMENTAL=0 cargo "+$TOOLCHAIN" "$command" "${std[@]}" --locked \
        --target "$TARGET" --target-dir "$FOLDER" "$@"
}
run() { cargo_with test --no-fail-fast "$@" 2>&1 | tee -a "$log" || status=$?; }
# `tests/examples.rs` runs the examples. Cargo builds them by itself only for a test of all targets.
build_examples() { cargo_with build --examples; }
case ${1:-} in
"")
    build_examples
    separate=("${MEASURING[@]}" "${LEAKING[@]}")
    run "${ALL[@]}" -- "${SKIPPED[@]/#/--skip=}" "${separate[@]/#/--skip=}"
    ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 \
        run -p precast --test async -- "${LEAKING[@]}" "${SKIPPED[@]/#/--skip=}"
    ASAN_OPTIONS=${ASAN_OPTIONS:-}:quarantine_size_mb=1 \
        run -p precast -p precast-wasi --test churn --test flat --test random_calls
    ;;
quick) run "${QUICK[@]}" -- "${SKIPPED[@]/#/--skip=}" ;;
*)
    build_examples
    run "$@"
    ;;
esac

found=$({ cat "$reports"/* 2>/dev/null || true; } | grep -Ec '(ERROR|WARNING): [A-Za-z]*Sanitizer' || true)
sed -n 's/^test result: [a-zA-Z]*\. \([0-9]*\) passed; \([0-9]*\) failed; \([0-9]*\) ignored.*/\1 \2 \3/p' \
    "$log" | awk -v kind="$KIND" -v reports="$found" '
        { programs++; passed += $1; failed += $2; ignored += $3 }
        END { printf "sanitize: %s: %d test programs ended, %d tests passed, %d failed, %d ignored; %d reports\n",
              kind, programs, passed, failed, ignored, reports }'
if [ "$found" -gt 0 ]; then
    echo "sanitize: the reports are in $reports" >&2
    exit 1
fi
exit $status
