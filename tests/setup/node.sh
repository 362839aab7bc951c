#!/usr/bin/env bash
# node.sh: makes node_modules beside every package-lock.json of tests/peers hold exactly that, every file checked by its hash.
set -euo pipefail

setup=$(cd "$(dirname "$0")" && pwd)

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    "$setup/packages.sh" "Node.js with npm" nodejs npm
fi
for lock in "$(dirname "$setup")"/peers/*/package-lock.json; do
    peers=$(dirname "$lock")
    stamp=$peers/node_modules/.made-from
    wanted="$(sha256sum <"$lock") $(node --version)"
    if [[ ! -f $stamp || $(<"$stamp") != "$wanted" ]]; then
        echo "making node_modules from tests/peers/$(basename "$peers")/package-lock.json" >&2
        npm ci --prefix "$peers" --ignore-scripts --no-audit --no-fund --loglevel=error >&2
        echo "$wanted" >"$stamp"
    fi
done
