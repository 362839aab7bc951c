# server.sh: sourced, for whoever starts a PostgreSQL of their own: where it is, and a port for it.

# Prints the directory of the server's programs; the newest release wins.
find_postgres() {
    local found
    found=$(command -v postgres || compgen -G '/usr/lib/postgresql/*/bin/postgres' | sort -V | tail -n 1)
    [[ -n $found ]] && dirname "$(readlink -f "$found")"
}

# Debian would also make and start a cluster of its own, on the standard port: not while this runs.
install_postgres() {
    local drop_in=/etc/postgresql-common/createcluster.d/docket.conf status=0
    if [[ $EUID -eq 0 ]]; then
        mkdir -p "${drop_in%/*}"
        echo 'create_main_cluster = off' >"$drop_in"
    fi
    "$(dirname "${BASH_SOURCE[0]}")/packages.sh" PostgreSQL postgresql || status=$?
    [[ $EUID -ne 0 ]] || rm -f "$drop_in"
    return "$status"
}

# Prints a port nobody listens on, below those the kernel gives to outgoing connections.
free_port() {
    local port
    while port=$((20000 + RANDOM % 10000)) && (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
    echo "$port"
}

# Prints a password.
password() {
    od -An -N16 -tx1 /dev/urandom | tr -d ' \n'
}
