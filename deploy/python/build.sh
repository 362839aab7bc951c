#!/usr/bin/env bash
# build.sh [DIRECTORY]: the released form of the gRPC contract, in target/client or DIRECTORY: the descriptor set docket.binpb
# and the wheel of the Python client, both of the workspace's version, made by the pinned tools of .venv without a network.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$(dirname "$here")")
out=${1:-$root/target/client}
mkdir -p "$out"
out=$(cd "$out" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$root/tests/setup/python.sh"
python=$root/.venv/bin/python

cp "$here/pyproject.toml" "$here/README.md" "$work"
sed -n '/^\[workspace.package\]/,/^version/s/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml" >"$work/VERSION"
cd "$root/proto"
mapfile -t contracts < <(find docket -name '*.proto' | LC_ALL=C sort)
"$python" -m grpc_tools.protoc -I . --python_out="$work" --pyi_out="$work" --grpc_python_out="$work" \
    --include_imports --include_source_info --descriptor_set_out="$work/docket/docket.binpb" "${contracts[@]}"
touch "$work/docket/py.typed"
cp "$work/docket/docket.binpb" "$out"
rm -f "$out"/docket_client-*.whl
SOURCE_DATE_EPOCH=315532800 "$python" -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation \
    --wheel-dir "$out" "$work" >&2
ls "$out"/docket.binpb "$out"/docket_client-*.whl
