#!/usr/bin/env bash
# nats.sh COMMAND...: runs COMMAND with the path of a nats-server program in DOCKET_TEST_NATS_SERVER: the pinned one of
# .venv, where `tests/setup/python.sh` installs it. A path in that variable beforehand is used as it is. Tests start
# servers of their own with it, each with its own port and directory, and stop them. With CI=true a missing program is a
# failure; else the tests that need one skip themselves.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)

if [[ -z ${DOCKET_TEST_NATS_SERVER:-} ]]; then
    if [[ -x $root/.venv/bin/nats-server ]]; then
        export DOCKET_TEST_NATS_SERVER=$root/.venv/bin/nats-server
    elif [[ ${CI:-} == true ]]; then
        echo "no nats-server in .venv: run tests/setup/python.sh" >&2
        exit 1
    else
        echo "no nats-server: the tests that need DOCKET_TEST_NATS_SERVER skip themselves" >&2
    fi
fi
exec "$@"
