#!/bin/sh
# Makes the databases of the exchange and of Prefect, each with its user, when PostgreSQL is new.
set -eu
for name in exchange prefect; do
    psql --set=ON_ERROR_STOP=1 --username="${POSTGRES_USER:-postgres}" --dbname=postgres \
        --set=name="$name" --set=password="$(cat "${QUORUM_SECRETS:-/run/secrets}/${name}_password")" <<'SQL'
CREATE USER :"name" PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
done
