#!/usr/bin/env bash
# python.sh: makes .venv at the workspace root hold exactly tests/peers/requirements.txt and reminders/requirements.txt, every file checked by its hash.
set -euo pipefail

setup=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$(dirname "$setup")")
requirements=$root/tests/peers/requirements.txt
# What needs less than it says.
alone=$root/tests/peers/reminders/requirements.txt
stamp=$root/.venv/made-from

if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    "$setup/packages.sh" "Python with venv" python3 python3-venv
fi
# A virtual environment knows its interpreter and its own path: made again when either changes.
wanted="$(cat "$requirements" "$alone" | sha256sum) $(python3 --version) $root"
if [[ ! -f $stamp || $(<"$stamp") != "$wanted" ]]; then
    echo "making .venv from tests/peers/requirements.txt" >&2
    python3 -m venv --clear "$root/.venv"
    install=("$root/.venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes)
    # What comes as source (grpcurl) is built with the pinned setuptools, not with one fetched for the purpose.
    "${install[@]}" -r <(sed -n '/^setuptools==/,/[^\\]$/p' "$requirements") >&2
    "${install[@]}" --use-pep517 --no-build-isolation -r "$requirements" >&2
    "${install[@]}" --no-deps -r "$alone" >&2
    echo "$wanted" >"$stamp"
fi
