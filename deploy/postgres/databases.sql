-- One database for each service, owned by a role of the same name; no role can connect to another's database.
-- Run as superuser with psql variables campaigns_password, leads_password, analytics_password and webhooks_password. Running it
-- again is harmless and sets the passwords to the given ones.
\set ON_ERROR_STOP on

SELECT format('CREATE ROLE %I', name)
FROM unnest(ARRAY['campaigns', 'leads', 'analytics', 'webhooks']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

ALTER ROLE campaigns WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'campaigns_password';
ALTER ROLE leads WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'leads_password';
ALTER ROLE analytics WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'analytics_password';
ALTER ROLE webhooks WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'webhooks_password';

SELECT format('CREATE DATABASE %I OWNER %I', name, name)
FROM unnest(ARRAY['campaigns', 'leads', 'analytics', 'webhooks']) AS name
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = name) \gexec

-- The owner of a database may connect to it without a grant; everyone else came in through PUBLIC. That goes for the
-- maintenance databases too: a service has no business there.
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', name)
FROM unnest(ARRAY['campaigns', 'leads', 'analytics', 'webhooks', 'postgres', 'template1']) AS name
WHERE EXISTS (SELECT FROM pg_database WHERE datname = name) \gexec
