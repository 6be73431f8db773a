#!/usr/bin/env bash
# Checks licences, sources and forbidden crates of the dependencies, as `deny.toml` says. Builds
# cargo-deny if it is not installed; exits with 69 if it cannot be obtained.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly VERSION=0.19.0
readonly TOOLS=$PWD/target/tools
PATH=$TOOLS/bin:$PATH
command -v cargo-deny >/dev/null ||
    cargo install --locked --quiet --root "$TOOLS" --target-dir "$TOOLS/target" "cargo-deny@$VERSION" ||
    exit 69
cargo deny --workspace --locked check --hide-inclusion-graph bans licenses sources
