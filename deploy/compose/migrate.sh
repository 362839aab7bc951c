# migrate.sh: brings the database to this release's form and lets the services in.
set -euo pipefail
docket --postgres /secrets/owner log migrate
# Passwords are for the environment and standard input: a command line is shown to everybody.
export PGHOST=postgres PGUSER=postgres PGDATABASE=docket PGPASSWORD
PGPASSWORD=$(</secrets/owner.password)
known=$(psql --no-psqlrc -tA -c "SELECT 1 FROM pg_roles WHERE rolname = 'docket'")
if [[ -z $known ]]; then
    psql --no-psqlrc -q --set ON_ERROR_STOP=1 \
        <<<"CREATE ROLE docket LOGIN PASSWORD '$(</secrets/docket.password)' IN ROLE docket_service"
fi
