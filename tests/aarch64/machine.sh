# Sourced by tests/aarch64.sh: virtual machines with a kernel of their own, for effects that user
# emulation does not have. A kernel is built from Debian's sources for one page size and one size of
# address space. It contains tests/aarch64/init and busybox.

# Sets QEMU_SYSTEM, an array: the command.
find_qemu_system() {
    local installed qemu=$TOOLS/qemu-system
    installed=$(command -v qemu-system-aarch64 || true)
    if [ -n "$installed" ]; then
        QEMU_SYSTEM=("$installed")
        return 0
    fi
    if ! [ -x "$qemu/usr/bin/qemu-system-aarch64" ]; then
        say "installing QEMU for whole machines"
        unpack trixie "$qemu" qemu-system-arm
    fi
    # QEMU's package brings its own libraries, because those of the machine may be too old.
    local libraries=$qemu/usr/lib/x86_64-linux-gnu
    QEMU_SYSTEM=("$libraries/ld-linux-x86-64.so.2" --library-path
        "$libraries:$libraries/pulseaudio" "$qemu/usr/bin/qemu-system-aarch64"
        -L "$qemu/usr/share/qemu")
    "${QEMU_SYSTEM[@]}" --version >&2 || unavailable "Debian's QEMU does not run here"
}

# Fetches the kernel's sources, and busybox for aarch64, if they are missing.
find_sources() {
    local missing=()
    for tool in flex bison bc make gcc patch; do
        command -v $tool >/dev/null || missing+=($tool)
    done
    [ ${#missing[@]} = 0 ] || install_packages "${missing[@]}"
    [ -x "$TOOLS/busybox/usr/bin/busybox" ] ||
        unpack trixie "$TOOLS/busybox" busybox-static:arm64
    if ! [ -e "$TOOLS/linux" ]; then
        say "getting the kernel's sources"
        local new=$TOOLS/linux-new
        rm -rf "$new"
        mkdir "$new"
        unpack trixie "$TOOLS/linux-source" linux-source-6.12
        tar -C "$new" --strip-components 1 -xf "$TOOLS"/linux-source/usr/src/linux-source-*.tar.xz
        patch --quiet --strip 1 --directory "$new" <tests/aarch64/qemu-large-pages.patch
        mv "$new" "$TOOLS/linux"
        rm -rf "$TOOLS/linux-source"
    fi
}

# Builds the kernel for pages of $1 KiB and $2 bits of address space in the folder $3, and sets
# IMAGE.
build_kernel() {
    local pages=$1 bits=$2 build=$3 option
    IMAGE=$build/arch/arm64/boot/Image
    local make=(make -s -C "$TOOLS/linux" O="$build" ARCH=arm64 CROSS_COMPILE="${CC%gcc}")
    mkdir -p "$build"
    {
        echo "dir /dev 755 0 0"
        echo "nod /dev/console 600 0 0 c 5 1"
        echo "file /init $PWD/tests/aarch64/init 755 0 0"
        echo "file /busybox $TOOLS/busybox/usr/bin/busybox 755 0 0"
    } >"$build/files"
    {
        sed '/^#/d' tests/aarch64/kernel.config
        echo "CONFIG_ARM64_${pages}K_PAGES=y"
        echo "CONFIG_ARM64_VA_BITS_$bits=y"
        echo "CONFIG_INITRAMFS_SOURCE=\"$build/files\""
    } >"$build/asked.new"
    if ! cmp -s "$build/asked.new" "$build/asked"; then
        "${make[@]}" KCONFIG_ALLCONFIG="$build/asked.new" allnoconfig >&2
        while read -r option; do
            grep -qxF "$option" "$build/.config" || unavailable "this kernel has no $option"
        done <"$build/asked.new"
        mv "$build/asked.new" "$build/asked"
    fi
    [ -e "$IMAGE" ] || say "building a kernel with pages of $pages KiB and $bits bits of addresses"
    "${make[@]}" -j"$(nproc)" Image >&2 || return 1
}

# Runs the tests in a machine with the kernel; further arguments are those of `cargo test`.
machine() {
    local pages=$1 bits=$2 folder=$TOOLS/kernel-$1k-$2
    local tests=$folder/tests log=$folder/log
    shift 2
    find_qemu_system
    find_sources
    build_kernel "$pages" "$bits" "$folder" || unavailable "the kernel cannot be built"
    # A test program is started in the folder of its package, as cargo does.
    suite --no-run --message-format json "$@" | sed -n \
        's|.*"manifest_path":"\([^"]*\)/Cargo.toml".*"profile":{[^}]*"test":true}.*"executable":"\([^"]*\)".*|\1 \2|p' \
        >"$tests"
    say "$(wc -l <"$tests") test programs, pages of $pages KiB, $bits bits of addresses"
    "${QEMU_SYSTEM[@]}" -M virt -cpu "${QEMU_CPU:-max,pauth-impdef=on}" -smp 2 -m 4096 \
        -accel tcg,thread=multi -nographic -no-reboot -nodefaults -serial stdio -monitor none \
        -net none -device virtio-rng-pci \
        -virtfs local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap \
        -kernel "$IMAGE" -append "console=ttyAMA0 loglevel=4 print-fatal-signals=1 panic=-1 \
sysroot=$SYSROOT tests=$tests" </dev/null | tee "$log"
    grep -q "aarch64: tests ended with 0" "$log"
}
