#!/usr/bin/env bash
# bench.sh [ARGUMENT...]: builds and runs the benchmark with the servers and peers it needs; ARGUMENTs go to its `run`.
# RUNS=n sets the rounds, BENCH=part,part the parts. The table is also left as target/bench.json. BENCH=learning measures
# what learning is worth among simulated recipients instead (SEEDS=31-60), BENCH=nminus the no-drop proof over a large house
# (TICKETS, ENGINEERS): neither needs a server.
set -euo pipefail

bench=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$(dirname "$bench")")
kept=$root/target/bench
message_db=1.3.1

"$root/tests/setup/rust.sh"
if [[ ${BENCH:-} == learning || ${BENCH:-} == nminus ]]; then
    exec cargo bench --manifest-path "$root/Cargo.toml" --profile ci -p simulator --bench "$BENCH"
fi
"$root/tests/setup/python.sh"
mkdir -p "$kept"
if [[ ! -d $kept/message-db-$message_db ]]; then
    command -v npm >/dev/null || "$root/tests/setup/packages.sh" npm npm
    (cd "$kept" && tar -xzf "$(npm pack --silent "@eventide/message-db@$message_db")" && mv package "message-db-$message_db")
fi
if [[ -z ${BENCH:-} || ${BENCH:-} == *alertmanager* ]] && ! command -v prometheus-alertmanager >/dev/null; then
    # Without it the table says so.
    "$root/tests/setup/packages.sh" prometheus-alertmanager prometheus-alertmanager || true
fi
cargo build --profile ci --manifest-path "$bench/Cargo.toml" --target-dir "$root/target"

export DOCKET_TEST_POSTGRES_DURABLE=true
unset DOCKET_TEST_POSTGRES
cd "$root"
# A missing server is a failure here, as where tests run unattended.
# shellcheck disable=SC2016 # the variables are those of the shells below
CI=true exec tests/setup/nats.sh tests/setup/postgres.sh bash -c '
    exec target/ci/bench run --postgres "$DOCKET_TEST_POSTGRES" --nats-server "$DOCKET_TEST_NATS_SERVER" "$@"
' bench --message-db "$kept/message-db-$message_db" --dir "$kept" --json target/bench.json \
    --rounds "${RUNS:-3}" ${BENCH:+--only "$BENCH"} "$@"
