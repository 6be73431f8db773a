#!/usr/bin/env bash
# Runs the models of the lock-free structures (`runtime/src/vm/loom_models.rs`): every order of
# steps with up to three preemptions, and every value that the memory model allows a load to return.
#
#   tests/loom.sh [NAME]    all models, or those with NAME in their names
#
# LOOM_MAX_PREEMPTIONS has no effect: each model states its own bound.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

RUSTFLAGS="--cfg loom" exec cargo test --locked --target-dir target/loom \
    -p precast-runtime --no-default-features --lib "vm::loom_models::${1:-}"
