#!/usr/bin/env bash
# Checks the crates outside the workspace, which a change of the API may break: those that build
# other runtimes, and the fuzzers. Exits with 69 if their dependencies cannot be obtained.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# One target folder, because most of their dependencies are the same.
export CARGO_TARGET_DIR=$PWD/target/outside
for crate in benches/compare tests/fuzz tests/fuzz-formats; do
    cargo fetch --locked --quiet --manifest-path $crate/Cargo.toml || exit 69
    cargo check --locked --all-targets --manifest-path $crate/Cargo.toml
done
