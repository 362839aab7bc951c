#!/usr/bin/env bash
# test.sh [NEXTEST ARGUMENT...]: runs the tests with the servers they need; the runner's summary is the last line.
set -euo pipefail

cd "$(dirname "$0")/../.."
PATH=$PWD/.venv/bin:$PATH
exec tests/setup/nats.sh tests/setup/postgres.sh cargo nextest run --workspace "$@"
