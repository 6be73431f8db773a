#!/usr/bin/env bash
# Runs the tests for aarch64 on an x86-64 machine, under QEMU's user emulation.
#
#   tests/aarch64.sh                  the whole suite, and artifacts of both machines compared
#   tests/aarch64.sh quick            what CI runs: specification, API, traps, WASI, guests, artifacts
#   tests/aarch64.sh cargo ARGS...    cargo with these arguments, set up for aarch64
#   tests/aarch64.sh run PROGRAM ...  a program for aarch64, under emulation
#   tests/aarch64.sh kernel KIB BITS [ARGS...]
#                                     the suite, or `cargo test ARGS`, in a virtual machine with
#                                     pages of KIB KiB and BITS bits of address space; its
#                                     kernel is built the first time, which takes some minutes
#
# Missing tools are installed: Rust's standard library for aarch64 by rustup, or else rustc and
# the library from Debian; a C compiler and C library for aarch64 from Debian, as root; QEMU from
# Debian. Tools that are not packages go to target/aarch64-tools, which PRECAST_AARCH64_TOOLS
# overrides. Exit code 69: something cannot be obtained, nothing was tested.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly TARGET=aarch64-unknown-linux-gnu
readonly UNAVAILABLE=69
readonly OLDEST_QEMU=9 # Before it, every reservation of address space costs host memory.
TOOLS=${PRECAST_AARCH64_TOOLS:-$PWD/target/aarch64-tools}

unavailable() {
    echo "aarch64: NOT TESTED: $*" >&2
    exit $UNAVAILABLE
}

say() { echo "aarch64: $*" >&2; }

# --- Tools -------------------------------------------------------------------------------------

# Makes `apt` below use this release of Debian, from the machine's package sources, in separate
# folders: the machine's package management does not change.
apt_release() {
    local release=$1 dir=$TOOLS/apt-$1 mirror
    mirror=$(awk '$1 == "URIs:" { print $2; exit } $1 == "deb" { print $2; exit }' \
        $(ls /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null) || true)
    [ -n "$mirror" ] || unavailable "this machine has no Debian packages"
    mkdir -p "$dir"/{lists/partial,cache/archives/partial,state}
    : >"$dir/status"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $release main" \
        >"$dir/sources.list"
    cat >"$dir/apt.conf" <<CONF
Dir::State "$dir/state"; Dir::State::lists "$dir/lists"; Dir::State::status "$dir/status";
Dir::Cache "$dir/cache"; Dir::Etc::sourcelist "$dir/sources.list";
Dir::Etc::sourceparts "/nonexistent"; APT::Architectures { "amd64"; "arm64"; };
APT::Install-Recommends "false"; APT::Sandbox::User "root"; Debug::NoLocking "true";
CONF
    export APT_CONFIG=$dir/apt.conf
    apt-get -qq update >&2 || unavailable "no list of Debian's packages"
}

# Unpacks packages of a release, and their dependencies, to a folder.
unpack() {
    local release=$1 to=$2
    shift 2
    (
        apt_release "$release"
        rm -f "$TOOLS/apt-$release"/cache/archives/*.deb
        apt-get -qq --yes --download-only install "$@" >&2 || exit $UNAVAILABLE
        for package in "$TOOLS/apt-$release"/cache/archives/*.deb; do
            dpkg-deb --extract "$package" "$to"
        done
        rm -rf "$TOOLS/apt-$release"
    ) || unavailable "no $* from Debian $release"
}

# Installs packages of the machine's own Debian.
install_packages() {
    [ "$(id -u)" = 0 ] || unavailable "as root, install $*"
    { apt-get -qq update && DEBIAN_FRONTEND=noninteractive \
        apt-get -qq --yes --no-install-recommends install "$@"; } >"$TOOLS/apt.log" 2>&1 ||
        unavailable "cannot install $*, see $TOOLS/apt.log"
}

# Sets QEMU.
find_qemu() {
    QEMU=$(command -v qemu-aarch64 || true)
    if [ -n "$QEMU" ]; then
        local version
        version=$("$QEMU" --version | sed -n 's/.*version \([0-9]*\).*/\1/p')
        [ "$version" -lt $OLDEST_QEMU ] || return 0
    fi
    QEMU=$TOOLS/qemu/usr/bin/qemu-aarch64
    [ -x "$QEMU" ] && return 0
    say "installing QEMU"
    unpack trixie "$TOOLS/qemu" qemu-user
    "$QEMU" --version >&2 || unavailable "Debian's QEMU does not run here"
}

# Sets the C compiler, and SYSROOT, the folder of its libraries.
find_cc() {
    SYSROOT=/usr/aarch64-linux-gnu
    CC=$(command -v aarch64-linux-gnu-gcc || true)
    [ -n "$CC" ] && [ -e $SYSROOT/lib/libc.so.6 ] && return 0
    say "installing a C compiler"
    install_packages gcc-aarch64-linux-gnu libc6-dev-arm64-cross
    CC=$(command -v aarch64-linux-gnu-gcc) || unavailable "no aarch64-linux-gnu-gcc"
}

has_std() { ls "$(rustc --print sysroot)/lib/rustlib/$TARGET/lib"/libstd-*.rlib >/dev/null 2>&1; }

# Installs Rust's standard library for aarch64, if it is missing; with another rustc if rustup has
# none.
find_std() {
    if [ -z "${PRECAST_AARCH64_DEBIAN_RUST:-}" ]; then
        has_std && return 0
        say "installing Rust's standard library"
        rustup target add $TARGET >&2 && has_std && return 0
    fi
    local rust=$TOOLS/rust
    if ! [ -x "$rust/rustc" ]; then
        say "installing Debian's rustc"
        unpack testing "$rust" rustc libstd-rust-dev libstd-rust-dev:arm64
        # With its own libraries, because those of the machine may be too old.
        cat >"$rust/rustc" <<WRAPPER
#!/bin/sh
L=$rust/usr/lib/x86_64-linux-gnu
exec \$L/ld-linux-x86-64.so.2 --library-path \$L:$rust/usr/lib --argv0 $rust/usr/bin/rustc \\
    $rust/usr/bin/rustc --sysroot $rust/usr "\$@"
WRAPPER
        chmod +x "$rust/rustc"
    fi
    export RUSTC=$rust/rustc
    "$RUSTC" --version >&2 || unavailable "Debian's rustc does not run here"
}

set_up() {
    [ "$(uname -m)" = x86_64 ] || unavailable "this machine is no x86-64; use cargo test"
    mkdir -p "$TOOLS"
    find_qemu
    find_cc
    find_std
    # The tests start programs for aarch64 by the same means as cargo starts the tests.
    export PRECAST_TEST_RUNNER=$TOOLS/run
    printf '#!/bin/sh\nexec %s -L %s "$@"\n' "$QEMU" "$SYSROOT" >"$PRECAST_TEST_RUNNER"
    chmod +x "$PRECAST_TEST_RUNNER"
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=$CC
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER=$PRECAST_TEST_RUNNER
    export CC_aarch64_unknown_linux_gnu=$CC
}

. tests/aarch64/machine.sh

# --- Tests -------------------------------------------------------------------------------------

suite() { cargo test --locked --profile emulated --target $TARGET "$@"; }

# `tests/examples.rs` runs the examples. Cargo builds them by itself only for a test of all targets.
build_examples() { cargo build --locked --profile emulated --target $TARGET --examples; }

# Machines that QEMU emulates: one with 39 bits of address space, and one of the first 64-bit CPUs,
# without features that code can use.
other_machines() {
    # In sequence, because the first uses the whole address space.
    QEMU_RESERVED_VA=0x8000000000 suite --workspace --test embed -- --test-threads=1 \
        address_space stack traps
    QEMU_CPU=cortex-a53 suite --workspace --test embed -- targets calls
}

# Both machines compile the same artifacts, byte for byte, and each machine refuses artifacts for
# the other with a message that names both.
artifacts() {
    local dir guest name emulated host
    cargo build --locked --workspace
    cargo build --locked --workspace --profile emulated --target $TARGET
    local target_dir
    target_dir=$(cargo metadata --format-version 1 --no-deps |
        sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
    host=$target_dir/debug/precast
    emulated="$PRECAST_TEST_RUNNER $target_dir/$TARGET/emulated/precast"
    dir=$(mktemp -d)
    trap 'rm -rf "$dir"' RETURN
    # Both seal with the same key.
    local -x PRECAST_STATE_DIR=$dir/state
    # All features of the emulated CPU, under the names artifacts use.
    local all=aarch64+lse+fp16+dotprod+i8mm
    for guest in tests/guests/{hello,demo,bench/json,bench/simd}.wasm; do
        name=$(basename "$guest" .wasm)
        for target in aarch64 $all x86_64+avx+avx2; do
            "$host" compile --target $target "$guest" -o "$dir/host"
            $emulated compile --target $target "$guest" -o "$dir/emulated"
            cmp "$dir/host" "$dir/emulated"
            [ $target != $all ] || cp "$dir/host" "$dir/$name.aarch64"
        done
        $emulated compile "$guest" -o "$dir/emulated"
        cmp "$dir/emulated" "$dir/$name.aarch64"
        "$host" compile "$guest" -o "$dir/$name.x86_64"
        say "$name: the same bytes from both machines"
    done
    refuses "the artifact is for aarch64-linux, this machine is x86_64-linux" \
        "$host" run "$dir/hello.aarch64"
    refuses "the artifact is for x86_64-linux, this machine is aarch64-linux" \
        $emulated run "$dir/hello.x86_64"
    QEMU_CPU=cortex-a53 refuses \
        "the artifact needs CPU features that this machine lacks: dotprod, fp16, i8mm, lse" \
        $emulated run "$dir/hello.aarch64"
    "$host" compile --target aarch64 tests/guests/hello.wasm -o "$dir/floor"
    QEMU_CPU=cortex-a53 $emulated run "$dir/floor"
}

# The command must fail with this message.
refuses() {
    local expected=$1 message
    shift
    if message=$("$@" 2>&1); then
        say "accepted: $*"
        return 1
    fi
    case $message in
    *"$expected"*) say "refused: $message" ;;
    *)
        say "expected '$expected', not '$message'"
        return 1
        ;;
    esac
}

case ${1:-all} in
all)
    set_up
    build_examples
    suite --workspace --lib --bins --tests
    other_machines
    artifacts
    ;;
quick)
    set_up
    # By name and not by package: the dependencies are then built once for all of them.
    suite --workspace --lib --test spec --test embed --test accesses --test guests --test faults \
        --test http --test random_calls --test trace
    other_machines
    artifacts
    ;;
cargo)
    set_up
    command=$2
    shift 2
    cargo "$command" --profile emulated --target $TARGET "$@"
    ;;
kernel)
    set_up
    pages=${2:?"the size of pages in KiB"} bits=${3:?"the bits of address space"}
    shift 3
    [ $# -gt 0 ] || set -- --workspace --lib --bins --tests
    build_examples
    machine "$pages" "$bits" "$@"
    ;;
run)
    set_up >/dev/null
    shift
    exec "$PRECAST_TEST_RUNNER" "$@"
    ;;
*)
    echo "usage: tests/aarch64.sh [all | quick | cargo ARGS... | run PROGRAM ARGS... |" \
        "kernel KIB BITS ARGS...]" >&2
    exit 2
    ;;
esac
