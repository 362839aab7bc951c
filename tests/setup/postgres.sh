#!/usr/bin/env bash
# postgres.sh [COMMAND...]: runs COMMAND with a private PostgreSQL whose administrator's address is in
# DOCKET_TEST_POSTGRES; without a command it prints that line and serves until interrupted. A server named by that
# variable beforehand is used as it is. The data are thrown away at the end, therefore nothing is synced to disk; with
# DOCKET_TEST_POSTGRES_DURABLE=true the server keeps its default settings and lies in /var/tmp, as a benchmark wants it.
# With CI=true a missing server is a failure; else the tests that need one skip themselves.
set -euo pipefail

setup=$(cd "$(dirname "$0")" && pwd)

source "$setup/server.sh"

start_server() {
    local as=() settings=(-c max_connections=200 -c fsync=off -c full_page_writes=off) password port
    [[ ${DOCKET_TEST_POSTGRES_DURABLE:-} != true ]] || settings=()
    password=$(password)
    port=$(free_port)
    echo "$password" >"$dir/password"
    if [[ $EUID -eq 0 ]]; then # PostgreSQL refuses to run as root.
        as=(--reuid postgres --regid postgres --init-groups)
        chown -R postgres:postgres "$dir"
    fi
    cd "$dir" # the server's user may not be allowed into the checkout
    if ! setpriv "${as[@]}" "$bin/initdb" -D data -U postgres --auth=scram-sha-256 --pwfile=password \
        --encoding=UTF8 --locale=C --no-sync >initdb.log 2>&1; then
        cat initdb.log >&2
        return 1
    fi
    # Whatever ends this script, kill -9 too, ends the server.
    setpriv "${as[@]}" --pdeathsig INT "$bin/postgres" -D data -p "$port" -k "$dir" -c listen_addresses=127.0.0.1 \
        "${settings[@]}" >server.log 2>&1 &
    server=$!
    cd "$OLDPWD"
    export DOCKET_TEST_POSTGRES="postgres://postgres:$password@127.0.0.1:$port/postgres"
    for _ in {1..300}; do
        grep -qs '^ready' "$dir/data/postmaster.pid" && return
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    cat "$dir/server.log" >&2
    return 1
}

stop_server() {
    if [[ -n $server ]] && kill -INT "$server" 2>/dev/null; then
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$dir"
}

serve() {
    server=
    local under=/tmp
    [[ ${DOCKET_TEST_POSTGRES_DURABLE:-} != true ]] || under=/var/tmp
    dir=$(mktemp -d "$under/docket-postgres.XXXXXX")
    trap stop_server EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    start_server
    if (($# > 0)); then
        "$@"
    else
        echo "DOCKET_TEST_POSTGRES=$DOCKET_TEST_POSTGRES"
        wait "$server"
    fi
}

if [[ -n ${DOCKET_TEST_POSTGRES:-} ]]; then
    "$@"
elif bin=$(find_postgres) || { install_postgres && bin=$(find_postgres); }; then
    serve "$@"
elif [[ ${CI:-} == true ]]; then
    exit 1
else
    echo "no PostgreSQL: the tests that need DOCKET_TEST_POSTGRES skip themselves" >&2
    "$@"
fi
