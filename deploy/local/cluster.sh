#!/usr/bin/env bash
# cluster.sh up|down|servers: the cluster on this machine: PostgreSQL, nats-server, the relay and the five services, each a process
# of its own on the loopback interface, under the data directory $DATA (.data). `up` starts what does not run yet and waits
# until all is ready; `down` stops what `up` started, by its process id and start, never by name, and servers last.
# `servers` starts PostgreSQL and nats-server alone, with an empty log if there is none.
# REPLICAS=2 starts each service twice; SMTP=smtp://host:port lets mail out; PACK names the documents put in force once;
# BUS=host:port is where processes reach the broker, if not straight.
# DAY=600 gives a fresh log the clock of a played day, that many times as fast.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
source "$root/tests/setup/server.sh"

data=${DATA:-.data}
mkdir -p "$data"
data=$(cd "$data" && pwd)
docket=${DOCKET:-$root/target/debug/docket}
services=(intake dispatch sla-monitor notifier analytics)
run=$data/run log=$data/log secret=$data/secret

fail() {
    echo "$*" >&2
    exit 1
}

# Prints since when a process runs, as no other process with its id ever did; fails if it has ended.
born() {
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    read -ra stat <<<"${stat##*) }"
    [[ ${stat[0]} != Z ]] && echo "$(</proc/sys/kernel/random/boot_id)/${stat[19]}"
}

# Whether what was started under this name still runs.
runs() {
    local pid since
    read -r pid since 2>/dev/null <"$run/$1.pid" && [[ $(born "$pid") == "$since" ]]
}

# start NAME COMMAND...: unless it runs. What it says is in run/NAME.out, its log in log/NAME.log.
start() {
    local name=$1
    shift
    ! runs "$name" || return 0
    setsid "$@" >"$run/$name.out" 2>>"$log/$name.log" </dev/null 9>&- &
    echo "$! $(born $!)" >"$run/$name.pid"
}

# until_true NAME SECONDS CONDITION...: as long as the process of that name runs.
until_true() {
    local name=$1 tries=$(($2 * 10))
    shift 2
    until "$@"; do
        ((tries-- > 0)) && runs "$name" || fail "$name is not ready: $(tail -n 3 "$log/$name.log")"
        sleep 0.1
    done
}

# stop SIGNAL NAME...: at once, and waits for their end, which letters under way may put off; by force after a minute.
stop() {
    local signal=$1 name pid _since tries=600
    shift
    for name in "$@"; do
        read -r pid _since 2>/dev/null <"$run/$name.pid" || continue
        ! runs "$name" || kill "-$signal" "$pid" 2>/dev/null || true # it may end by itself meanwhile
    done
    for name in "$@"; do
        while runs "$name"; do
            if ((tries-- <= 0)); then
                echo "$name did not stop in time; killed" >&2
                read -r pid _since <"$run/$name.pid"
                kill -KILL "$pid" 2>/dev/null || true
            fi
            sleep 0.1
        done
        rm -f "$run/$name.pid" "$run/$name.out"
    done
}

# Prints the names of what was started and is no server.
parts() {
    local file
    for file in "$run"/*.pid; do
        file=${file##*/}
        [[ $file == '*.pid' || $file == postgres.pid || $file == nats.pid ]] || echo "${file%.pid}"
    done
}

# secretly FILE: keeps standard input where only its owner reads it.
secretly() {
    (umask 077 && cat >"$1")
}

# The port a server had before, so that whoever knows it finds it again, unless somebody else took it meanwhile.
port_of() {
    local port
    port=$(cat "$data/$1.port" 2>/dev/null) || port=
    if [[ -z $port ]] || (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then port=$(free_port); fi
    echo "$port" | tee "$data/$1.port"
}

start_postgres() {
    local bin as=() port
    bin=$(find_postgres) || { install_postgres && bin=$(find_postgres); } || fail "no PostgreSQL"
    if [[ $EUID -eq 0 ]]; then # PostgreSQL refuses to run as root.
        as=(setpriv --reuid postgres --regid postgres --init-groups)
    fi
    if [[ ! -f $data/postgres/PG_VERSION ]]; then
        rm -rf "$data/postgres"
        mkdir -m 700 "$data/postgres"
        password | secretly "$secret/owner.password"
        cp "$secret/owner.password" "$data/postgres.password"
        [[ $EUID -ne 0 ]] || chown postgres "$data/postgres" "$data/postgres.password"
        "${as[@]}" test -x "$data" || fail "the user postgres may not enter $data: choose another DATA"
        (cd "$data" && "${as[@]}" "$bin/initdb" -D "$data/postgres" -U postgres --auth=scram-sha-256 \
            --pwfile="$data/postgres.password" --encoding=UTF8 --locale=C) >>"$log/postgres.log" 2>&1 ||
            fail "initdb: $(tail -n 3 "$log/postgres.log")"
        rm "$data/postgres.password"
    fi
    port=$(port_of postgres)
    (cd "$data" && start postgres "${as[@]}" "$bin/postgres" -D "$data/postgres" -p "$port" -k '' \
        -c listen_addresses=127.0.0.1 -c max_connections=300)
    until_true postgres 60 serves_sql
    [[ -f $secret/docket.password ]] || password | secretly "$secret/docket.password"
    secretly "$secret/owner.env" <<ENV
export PGHOST=127.0.0.1 PGPORT=$port PGUSER=postgres PGDATABASE=docket PGPASSWORD=$(<"$secret/owner.password")
ENV
    echo "postgres://postgres:$(<"$secret/owner.password")@127.0.0.1:$port/docket" | secretly "$secret/owner"
    echo "postgres://docket:$(<"$secret/docket.password")@127.0.0.1:$port/docket" | secretly "$secret/postgres"
}

# Whether this very PostgreSQL is ready: one that was killed left its file behind.
serves_sql() {
    local pid _since lines=()
    read -r pid _since <"$run/postgres.pid"
    mapfile -t lines 2>/dev/null <"$data/postgres/postmaster.pid" || return 1
    [[ ${lines[0]:-} == "$pid" && ${lines[7]:-} == ready* ]]
}

# The database, the log and the keys in this program's form, and the login of the services, which may only add. In a shell
# of its own: the owner's password is for nobody who is started later.
prepare_log() (
    source "$secret/owner.env"
    if [[ -z $(PGDATABASE=postgres query "SELECT 1 FROM pg_database WHERE datname = 'docket'") ]]; then
        PGDATABASE=postgres query 'CREATE DATABASE docket'
    fi
    "$docket" --postgres "$secret/owner" log migrate >>"$log/migrate.log"
    if [[ -z $(query "SELECT 1 FROM pg_roles WHERE rolname = 'docket'") ]]; then
        query "CREATE ROLE docket LOGIN PASSWORD '$(<"$secret/docket.password")' IN ROLE docket_service"
    fi
)

# query SQL: as the database's owner, whose password is in the environment and not on the command line.
query() {
    psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 <<<"$1"
}

start_nats() {
    local server=${NATS_SERVER:-$root/.venv/bin/nats-server} port
    [[ -x $server ]] || "$root/tests/setup/python.sh"
    [[ -f $secret/nats.password ]] || password | secretly "$secret/nats.password"
    port=$(port_of nats)
    secretly "$secret/nats.conf" <<CONF
listen: "127.0.0.1:$port"
server_name: docket
jetstream { store_dir: "$data/nats" }
authorization { user: docket, password: "$(<"$secret/nats.password")" }
CONF
    start nats "$server" -c "$secret/nats.conf"
    until_true nats 30 listens "127.0.0.1:$port"
}

listens() {
    (: <"/dev/tcp/${1%:*}/${1##*:}") 2>/dev/null
}

# said NAME WHAT: the address a process said it serves that at.
said() {
    sed -n "s|^$2 http://||p" "$run/$1.out"
}

# probe NAME PATH: whether the process of that name answers 200 to that.
probe() {
    local address line=
    address=$(said "$1" admin)
    [[ -n $address ]] && exec 3<>"/dev/tcp/${address%:*}/${address##*:}" || return 1
    printf 'GET %s HTTP/1.0\r\n\r\n' "$2" >&3
    read -r -t 2 line <&3 || true # one that stands still says nothing
    exec 3>&-
    [[ $line == *' 200 '* ]]
}

answers() {
    probe "$1" /livez
}

is_ready() {
    probe "$1" /readyz
}

start_parts() {
    local part n
    local bus=(--nats "nats://${BUS:-127.0.0.1:$(<"$data/nats.port")}" --nats-user docket --nats-password-file "$secret/nats.password")
    for part in relay "${services[@]}"; do
        for ((n = 1; n <= ${REPLICAS:-1}; n++)); do
            local more=()
            [[ $part != notifier ]] || more=("${outside[@]}")
            start "$part-$n" "$docket" --data "$data" --postgres "$secret/postgres" run "$part" "${bus[@]}" "${more[@]}"
        done
    done
    for part in $(parts); do
        case $part in
        sink) ;;
        # A relay that halted waits for a human, and everybody else works on.
        relay-*) until_true "$part" 120 answers "$part" && { is_ready "$part" || echo "$part halted: see $log/$part.log" >&2; } ;;
        *) until_true "$part" 120 is_ready "$part" ;;
        esac
    done
}

up() {
    local outside=() name
    if [[ -n ${SMTP:-} ]]; then outside+=(--smtp "$SMTP"); fi
    servers
    if [[ -n ${DAY:-} ]]; then play_day; fi
    start_parts
    for name in $(parts); do
        [[ $name == sink || $name == relay-* ]] || echo "${name%-*}=http://$(said "$name" grpc)"
    done >"$data/endpoints.draft"
    mv "$data/endpoints.draft" "$data/endpoints"
    if [[ ! -f $data/applied ]]; then
        "$docket" --data "$data" apply -f "$root/deploy/pack/${PACK:-service}.yaml" >"$log/apply.log"
        touch "$data/applied"
    fi
    tell
}

servers() {
    local ports
    ports=$(cat "$data"/{postgres,nats}.port 2>/dev/null) || true
    runs postgres || start_postgres
    runs nats || start_nats
    # A server that could not come back where it was: those who knew it start anew.
    [[ $ports == "$(cat "$data"/{postgres,nats}.port)" ]] || stop TERM $(parts)
    prepare_log
}

# The mail server of the played day, and its clock: told to the log before any process reads it.
play_day() {
    start sink "$docket" sink --dir "$data/sink"
    until_true sink 10 test -s "$data/sink/smtp"
    outside+=(--smtp "smtp://$(<"$data/sink/smtp")" --webhook-allow 127.0.0.1)
    any_runs || "$docket" --postgres "$secret/owner" demo --on anchored --scale "$DAY"
}

# Whether anybody lives by the log's clock already.
any_runs() {
    local name
    for name in $(parts); do
        [[ $name == sink ]] || ! runs "$name" || return 0
    done
    return 1
}

tell() {
    local name
    for name in $(parts); do
        [[ $name == sink ]] || printf '%-14s grpc %-22s admin http://%s/metrics\n' "$name" "$(said "$name" grpc)" "$(said "$name" admin)"
    done
    cat <<TEXT
PostgreSQL     127.0.0.1:$(<"$data/postgres.port"), its address with password in $secret/postgres
nats-server    127.0.0.1:$(<"$data/nats.port"), user docket, password in $secret/nats.password
logs           $log
talk to it     $docket --data $data status
look inside    $docket --postgres $secret/postgres log tail
stop           make down DATA=$data
TEXT
}

down() {
    stop TERM $(parts)
    stop INT nats
    stop INT postgres
    rm -f "$data/endpoints"
}

mkdir -p "$run" "$log" "$secret"
chmod 700 "$secret"
# One at a time: who comes second finds what the first has done.
exec 9>"$run/lock"
flock 9
case ${1:-} in
up | down | servers) "$1" ;;
*) fail "usage: cluster.sh up|down|servers" ;;
esac
