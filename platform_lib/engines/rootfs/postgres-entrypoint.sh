#!/bin/sh
# The part of the official image's contract that testcontainers relies on: POSTGRES_USER, POSTGRES_PASSWORD,
# POSTGRES_DB, POSTGRES_INITDB_ARGS, and arguments for the server. Uses nothing but the shell and PostgreSQL.
set -eu

data=${PGDATA:-/var/lib/postgresql/data}
user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}
: "${POSTGRES_PASSWORD:?postgres: no POSTGRES_PASSWORD given; set it}"

if [ ! -s "$data/PG_VERSION" ]; then
    # shellcheck disable=SC2086  # several options in one variable are meant to be several words
    printf '%s\n' "$POSTGRES_PASSWORD" | initdb --pgdata="$data" --username="$user" --pwfile=/dev/stdin \
        --auth-local=trust --auth-host=scram-sha-256 --no-sync --no-instructions ${POSTGRES_INITDB_ARGS:-}
    printf 'host all all all scram-sha-256\n' >> "$data/pg_hba.conf"
    if [ "$database" != postgres ]; then
        printf 'CREATE DATABASE "%s"\n' "$database" | postgres --single -D "$data" postgres
    fi
fi

if [ "${1:-}" = postgres ]; then
    shift
fi
exec postgres -D "$data" -c listen_addresses='*' "$@"
