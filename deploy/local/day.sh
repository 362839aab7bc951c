#!/usr/bin/env bash
# day.sh [--exit] [ARGUMENT...]: plays the service day on a cluster of processes under $DATA (.data), which goes on
# serving, or stops after the table with --exit. ARGUMENTs go to `docket demo`; SCALE says how many times
# as fast as a real one it goes (200).
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
docket=${DOCKET:-$root/target/debug/docket}
data=${DATA:-.data}
arguments=() ends=
for argument in "$@"; do
    if [[ $argument == --exit ]]; then ends=yes; else arguments+=("$argument"); fi
done

[[ -z $ends ]] || trap '"$root/deploy/local/cluster.sh" down' EXIT
DAY=${SCALE:-200} "$root/deploy/local/cluster.sh" up
status=0
"$docket" --data "$data" --postgres "$data/secret/postgres" demo --on cluster "${arguments[@]}" || status=$?
exit "$status"
