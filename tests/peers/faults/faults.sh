#!/usr/bin/env bash
# faults.sh: the long form of the fault suite, in the `ci` profile: DOCKET_FAULTS (200) faults on the cluster as it is, and
# two short campaigns on programs that each keep one rule less, which must fail. DOCKET_FAULT_SEED repeats an order.
set -euo pipefail

cd "$(dirname "$0")/../../.."
built=$PWD/target/faults
mkdir -p "$built"

# program [FEATURE]: builds it and keeps it under a name of its own.
program() {
    cargo build --profile ci --workspace --bin docket ${1:+--features "docket/$1"}
    cp target/ci/docket "$built/docket${1:+-$1}"
}

program unfenced
program effect-first
program
export DOCKET=$built/docket DOCKET_UNFENCED=$built/docket-unfenced DOCKET_EFFECT_FIRST=$built/docket-effect-first
export DOCKET_FAULTS=${DOCKET_FAULTS:-200}
CI=true exec tests/setup/nats.sh cargo nextest run --cargo-profile ci --workspace --profile long --no-capture \
    -E 'package(docket) & test(faults::)'
