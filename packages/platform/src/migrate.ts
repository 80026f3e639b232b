import { fileURLToPath } from 'node:url';
import type { ContextName } from '@provender/contracts';
import { runner } from 'node-pg-migrate';
import pg from 'pg';
import { errorCode } from './database-errors.ts';

/** One lock for all: contexts' grants and roles meet in the same system tables. */
const MIGRATION_LOCK = 7_236_540_112;
const ROLE_ATTEMPTS_MAX = 5;
const DENIED_CODE = '42501';
/** Duplicate object, unique violation, and `tuple concurrently updated`. */
const ROLE_RACE_CODES = new Set(['42710', '23505', 'XX000']);
const PLATFORM_MIGRATIONS = fileURLToPath(new URL('../migrations/', import.meta.url));

/** The name of the one role that may read everything and write nothing, for `verify`. */
export const AUDITOR_ROLE = 'provender_auditor';

export function roleOf(context: ContextName): string {
  return `provender_${context}`;
}

export type Migratable = { readonly context: ContextName; readonly migrations: URL };

/**
 * Brings a database up to date: per context a schema, a least-privileged role, the platform's tables and the context's
 * own. Several processes may do so at once: the first does it, the others wait. Contexts may read each other's logs.
 */
export async function migrate(url: string, modules: readonly Migratable[]): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: 'provender migrate' });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await createRole(client, AUDITOR_ROLE);
    for (const { context } of modules) {
      await createRole(client, roleOf(context));
      await client.query(`CREATE SCHEMA IF NOT EXISTS ${context}`);
      await client.query(`GRANT USAGE ON SCHEMA ${context} TO ${roleOf(context)}, ${AUDITOR_ROLE}`);
    }
    for (const { context, migrations } of modules) {
      await client.query(`SET search_path TO ${context}`);
      await migrateFolder(client, context, PLATFORM_MIGRATIONS, 'platform_migrations');
      await migrateFolder(client, context, fileURLToPath(migrations), 'migrations');
      await grantPlatformTables(client, context);
    }
    for (const { context } of modules) await grantLog(client, context, modules);
    await client.query('RESET search_path');
  } finally {
    await client.end();
  }
}

async function migrateFolder(client: pg.Client, context: ContextName, dir: string, table: string): Promise<void> {
  await runner({
    dbClient: client,
    dir,
    direction: 'up',
    schema: context,
    migrationsSchema: context,
    migrationsTable: table,
    noLock: true,
    log: () => {},
    logger: silent,
    checkOrder: true,
    singleTransaction: true,
  });
}

/** It would write to the console, and print a failing migration twice. */
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/**
 * Makes a role and lets the owner act as it. Roles belong to the whole server, so that another database of it may be
 * making the same one right now: whoever loses that race looks again.
 */
export async function createRole(client: pg.Client, role: string): Promise<void> {
  for (let attempts = 1; ; attempts += 1) {
    try {
      await client.query(createRoleText(role));
      return;
    } catch (error) {
      if (errorCode(error) === DENIED_CODE) throw new Error(await howToGrant(client, role), { cause: error });
      if (attempts >= ROLE_ATTEMPTS_MAX || !ROLE_RACE_CODES.has(errorCode(error) ?? '')) throw error;
    }
  }
}

async function howToGrant(client: pg.Client, role: string): Promise<string> {
  const { rows } = await client.query<{ owner: string }>('SELECT current_user AS owner');
  const owner = rows[0]?.owner;
  return (
    `${owner} may not make the role ${role}, or may not act as it. Let a superuser run: ` +
    `ALTER ROLE ${owner} CREATEROLE; and, where the role is there already: GRANT ${role} TO ${owner};`
  );
}

/** From PostgreSQL 16 on, whoever creates a role administers it, but may act as it only once that is granted too. */
function createRoleText(role: string): string {
  return `DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${role}') THEN CREATE ROLE ${role} NOLOGIN; END IF;
    IF NOT pg_has_role(current_user, '${role}',
      CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)
    THEN GRANT ${role} TO CURRENT_USER; END IF;
  END $$`;
}

async function grantPlatformTables(client: pg.Client, context: ContextName): Promise<void> {
  const role = roleOf(context);
  await client.query(`
    -- Temporary tables come first in a search path that does not name them: a caller's own could stand in for the log.
    ALTER FUNCTION append_events SET search_path = ${context}, pg_temp;
    ALTER FUNCTION outbox_extend SET search_path = ${context}, pg_temp;
    REVOKE ALL ON FUNCTION append_events, outbox_extend FROM PUBLIC;
    GRANT SELECT ON outbox, outbox_head TO ${role};
    GRANT SELECT, INSERT ON cursors TO ${role};
    GRANT UPDATE (epoch) ON cursors TO ${role};
    GRANT SELECT, INSERT, UPDATE, DELETE ON parked_events, timers, idempotency_keys, relay_partitions TO ${role};
    GRANT SELECT, UPDATE ON relay TO ${role};
    GRANT EXECUTE ON FUNCTION append_events, outbox_extend TO ${role};
    GRANT SELECT ON ALL TABLES IN SCHEMA ${context} TO ${AUDITOR_ROLE};
    ALTER DEFAULT PRIVILEGES IN SCHEMA ${context} GRANT SELECT ON TABLES TO ${AUDITOR_ROLE};
  `);
}

async function grantLog(client: pg.Client, context: ContextName, modules: readonly Migratable[]): Promise<void> {
  const readers = modules.map((module) => roleOf(module.context)).join(', ');
  await client.query(`GRANT USAGE ON SCHEMA ${context} TO ${readers}`);
  await client.query(`GRANT SELECT ON ${context}.outbox, ${context}.outbox_head TO ${readers}`);
}
