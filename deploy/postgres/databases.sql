-- Run once by the image of PostgreSQL on an empty cluster: a database for each context with an owner of its own, who is
-- no superuser, may make no roles, and cannot connect to the others'.

-- Reads everything and writes nothing. Contexts grant it what they have; the verifier may act as it.
CREATE ROLE provender_auditor NOLOGIN;

\getenv verifier_password VERIFIER_DATABASE_PASSWORD
-- For `verify` and the process `operations`. CREATE is for tables of one transaction that is always rolled back.
CREATE ROLE verifier LOGIN PASSWORD :'verifier_password' IN ROLE provender_auditor, pg_read_all_stats;

\getenv identity_password IDENTITY_DATABASE_PASSWORD
CREATE ROLE provender_identity NOLOGIN;
CREATE ROLE identity LOGIN PASSWORD :'identity_password' IN ROLE provender_identity, provender_auditor;
CREATE DATABASE identity OWNER identity;
REVOKE CONNECT, TEMPORARY ON DATABASE identity FROM PUBLIC;
GRANT CONNECT, CREATE, TEMPORARY ON DATABASE identity TO verifier;
\connect identity
ALTER DEFAULT PRIVILEGES FOR ROLE identity GRANT USAGE ON SCHEMAS TO verifier;

\getenv catalog_password CATALOG_DATABASE_PASSWORD
CREATE ROLE provender_catalog NOLOGIN;
CREATE ROLE catalog LOGIN PASSWORD :'catalog_password' IN ROLE provender_catalog, provender_auditor;
CREATE DATABASE catalog OWNER catalog;
REVOKE CONNECT, TEMPORARY ON DATABASE catalog FROM PUBLIC;
GRANT CONNECT, CREATE, TEMPORARY ON DATABASE catalog TO verifier;
\connect catalog
ALTER DEFAULT PRIVILEGES FOR ROLE catalog GRANT USAGE ON SCHEMAS TO verifier;

\getenv production_password PRODUCTION_DATABASE_PASSWORD
CREATE ROLE provender_production NOLOGIN;
CREATE ROLE production LOGIN PASSWORD :'production_password' IN ROLE provender_production, provender_auditor;
CREATE DATABASE production OWNER production;
REVOKE CONNECT, TEMPORARY ON DATABASE production FROM PUBLIC;
GRANT CONNECT, CREATE, TEMPORARY ON DATABASE production TO verifier;
\connect production
ALTER DEFAULT PRIVILEGES FOR ROLE production GRANT USAGE ON SCHEMAS TO verifier;

\getenv inventory_password INVENTORY_DATABASE_PASSWORD
CREATE ROLE provender_inventory NOLOGIN;
CREATE ROLE inventory LOGIN PASSWORD :'inventory_password' IN ROLE provender_inventory, provender_auditor;
CREATE DATABASE inventory OWNER inventory;
REVOKE CONNECT, TEMPORARY ON DATABASE inventory FROM PUBLIC;
GRANT CONNECT, CREATE, TEMPORARY ON DATABASE inventory TO verifier;
\connect inventory
ALTER DEFAULT PRIVILEGES FOR ROLE inventory GRANT USAGE ON SCHEMAS TO verifier;

\getenv orders_password ORDERS_DATABASE_PASSWORD
CREATE ROLE provender_orders NOLOGIN;
CREATE ROLE orders LOGIN PASSWORD :'orders_password' IN ROLE provender_orders, provender_auditor;
CREATE DATABASE orders OWNER orders;
REVOKE CONNECT, TEMPORARY ON DATABASE orders FROM PUBLIC;
GRANT CONNECT, CREATE, TEMPORARY ON DATABASE orders TO verifier;
\connect orders
ALTER DEFAULT PRIVILEGES FOR ROLE orders GRANT USAGE ON SCHEMAS TO verifier;

\getenv bank_password BANK_DATABASE_PASSWORD
CREATE ROLE provender_bank NOLOGIN;
CREATE ROLE bank LOGIN PASSWORD :'bank_password' IN ROLE provender_bank, provender_auditor;
CREATE DATABASE bank OWNER bank;
REVOKE CONNECT, TEMPORARY ON DATABASE bank FROM PUBLIC;
GRANT CONNECT, CREATE, TEMPORARY ON DATABASE bank TO verifier;
\connect bank
ALTER DEFAULT PRIVILEGES FOR ROLE bank GRANT USAGE ON SCHEMAS TO verifier;

\getenv fleet_password FLEET_DATABASE_PASSWORD
CREATE ROLE provender_fleet NOLOGIN;
CREATE ROLE fleet LOGIN PASSWORD :'fleet_password' IN ROLE provender_fleet, provender_auditor;
CREATE DATABASE fleet OWNER fleet;
REVOKE CONNECT, TEMPORARY ON DATABASE fleet FROM PUBLIC;
GRANT CONNECT, CREATE, TEMPORARY ON DATABASE fleet TO verifier;
\connect fleet
ALTER DEFAULT PRIVILEGES FOR ROLE fleet GRANT USAGE ON SCHEMAS TO verifier;

\getenv notifications_password NOTIFICATIONS_DATABASE_PASSWORD
CREATE ROLE provender_notifications NOLOGIN;
CREATE ROLE notifications LOGIN PASSWORD :'notifications_password' IN ROLE provender_notifications, provender_auditor;
CREATE DATABASE notifications OWNER notifications;
REVOKE CONNECT, TEMPORARY ON DATABASE notifications FROM PUBLIC;
GRANT CONNECT, CREATE, TEMPORARY ON DATABASE notifications TO verifier;
\connect notifications
ALTER DEFAULT PRIVILEGES FOR ROLE notifications GRANT USAGE ON SCHEMAS TO verifier;
