# secrets.sh: makes what is missing in /secrets: passwords, the addresses made of them, the broker's accounts.
set -euo pipefail
cd /secrets
umask 077

make() { # FILE COMMAND...: once
    [[ -f $1 ]] || { "${@:2}" >"$1.draft" && mv "$1.draft" "$1"; }
}
password() {
    od -An -N16 -tx1 /dev/urandom | tr -d ' \n'
}

make owner.password password
make docket.password password
# Whose hash stands in outsiders.yaml as that of our own services.
make nats.password echo secret
make owner echo "postgres://postgres:$(<owner.password)@postgres:5432/docket"
make postgres echo "postgres://docket:$(<docket.password)@postgres:5432/docket"
docket events accounts /etc/docket/outsiders.yaml >accounts.conf
cat >nats.conf <<'CONF'
server_name: docket
jetstream { store_dir: /data, sync_interval: always }
include accounts.conf
CONF
