#!/usr/bin/env bash
# node.sh: makes tests/peers/events/node_modules hold exactly its package-lock.json, every file checked by its hash.
set -euo pipefail

setup=$(cd "$(dirname "$0")" && pwd)
peers=$(dirname "$setup")/peers/events
stamp=$peers/node_modules/.made-from

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    "$setup/packages.sh" "Node.js with npm" nodejs npm
fi
wanted="$(sha256sum <"$peers/package-lock.json") $(node --version)"
if [[ ! -f $stamp || $(<"$stamp") != "$wanted" ]]; then
    echo "making node_modules from tests/peers/events/package-lock.json" >&2
    npm ci --prefix "$peers" --ignore-scripts --no-audit --no-fund --loglevel=error >&2
    echo "$wanted" >"$stamp"
fi
