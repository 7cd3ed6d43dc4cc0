#!/bin/bash
# Makes the services' roles and databases: in /docker-entrypoint-initdb.d of the official PostgreSQL image when the data volume
# is new, and in the stack without Docker at each start. Connects as psql does (PGHOST, PGPORT, PGPASSWORD).
set -euo pipefail

# psql reads \set with backslash escapes and doubled quotes.
quoted() { printf "'%s'" "$(sed "s/\\\\/\\\\\\\\/g; s/'/''/g" <<<"$1")"; }

# The passwords go through standard input: command lines are visible to every user of the machine.
{
    printf '\\set campaigns_password %s\n' "$(quoted "${CAMPAIGNS_DB_PASSWORD:?is not set}")"
    printf '\\set leads_password %s\n' "$(quoted "${LEADS_DB_PASSWORD:?is not set}")"
    printf '\\set analytics_password %s\n' "$(quoted "${ANALYTICS_DB_PASSWORD:?is not set}")"
    printf '\\set webhooks_password %s\n' "$(quoted "${WEBHOOKS_DB_PASSWORD:?is not set}")"
    cat "${DATABASES_SQL:-/etc/voice-campaigns/databases.sql}"
} | psql --no-psqlrc --quiet --username "${POSTGRES_USER:-postgres}" --dbname postgres
