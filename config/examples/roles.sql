-- Roles and the empty database, in this order, by a superuser. Run it before `talent migrate` on a new
-- installation, and before `pg_restore` on a new server: a dump has no roles, and without them it loses
-- every grant. What is there already stays as it is.
--
--   export OWNER_PASSWORD=… WEB_PASSWORD=…
--   psql --set=ON_ERROR_STOP=1 --file=config/examples/roles.sql "$ADMIN_URL"
\getenv owner_password OWNER_PASSWORD
\getenv web_password WEB_PASSWORD

-- The owner of database and schema: DATABASE_OWNER_URL logs in as it.
SELECT format('CREATE ROLE talent_owner LOGIN PASSWORD %L', :'owner_password')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'talent_owner') \gexec

-- What the service works as (DATABASE_ROLE). Row-level security holds it.
SELECT 'CREATE ROLE talent_app NOLOGIN'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'talent_app') \gexec

-- What `talent keys rotate` and `reseal` work as.
SELECT 'CREATE ROLE talent_keys NOLOGIN'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'talent_keys') \gexec
GRANT talent_keys TO talent_owner;

-- The login of web and worker: DATABASE_URL.
SELECT format('CREATE ROLE talent_web LOGIN IN ROLE talent_app PASSWORD %L', :'web_password')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'talent_web') \gexec

SELECT 'CREATE DATABASE talent OWNER talent_owner ENCODING ''UTF8'' TEMPLATE template0'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'talent') \gexec
REVOKE ALL ON DATABASE talent FROM PUBLIC;
GRANT CONNECT ON DATABASE talent TO talent_app;

-- Only behind pgbouncer in transaction mode (DATABASE_PREPARE=false): the login is talent_app itself, and
-- has the time limits that the service otherwise sets for each connection.
--
--   ALTER ROLE talent_app LOGIN PASSWORD '…';
--   ALTER ROLE talent_app SET statement_timeout = '15s';
--   ALTER ROLE talent_app SET lock_timeout = '5s';
--   ALTER ROLE talent_app SET idle_in_transaction_session_timeout = '20s';
