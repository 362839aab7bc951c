#!/usr/bin/env bash
# rust.sh [test]: what a build needs (cargo, a C compiler); with `test` also rustfmt, clippy and cargo-nextest.
set -euo pipefail

need_of_rustup() {
    command -v "$1" >/dev/null && return
    echo "$1 is missing; the Rust toolchain is yours to install: https://rustup.rs, $2" >&2
    exit 1
}

need_of_rustup cargo "then open a new shell"
command -v cc >/dev/null || "$(dirname "$0")/packages.sh" "a C compiler" gcc libc6-dev
if [[ ${1:-} == test ]]; then
    need_of_rustup rustfmt "rustup component add rustfmt"
    need_of_rustup cargo-clippy "rustup component add clippy"
    command -v cargo-nextest >/dev/null || cargo install --locked cargo-nextest
fi
