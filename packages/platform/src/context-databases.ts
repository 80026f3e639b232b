import { randomBytes } from 'node:crypto';
import type { ContextName } from '@provender/contracts';
import pg from 'pg';
import { errorCode } from './database-errors.ts';
import { AUDITOR_ROLE, createRole, roleOf } from './migrate.ts';

const PASSWORD_BYTES = 24;
const DENIED_CODE = '42501';
/** Needs no quotes, and leaves room for the name of a context and its owner. */
const PLAIN_NAME = /^[a-z_][a-z0-9_]{0,40}$/;

/**
 * Makes a database for each context, owned by a role of its own that may not connect to the others', where it is not
 * there yet: `provender_bank` beside `provender`. Gives their addresses; the passwords are new ones each time, so that
 * nobody else has them. `adminUrl` is of a role that may make roles and databases.
 */
export async function makeContextDatabases(
  adminUrl: string,
  contexts: readonly ContextName[],
): Promise<Record<ContextName, string>> {
  const client = new pg.Client({ connectionString: adminUrl, application_name: 'provender up' });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock(hashtext($1))', ['provender up']);
    await createRole(client, AUDITOR_ROLE);
    const made = new Map<ContextName, string>();
    for (const context of contexts) made.set(context, await makeDatabase(client, adminUrl, context));
    // One for each context, just made.
    return Object.fromEntries(made) as Record<ContextName, string>;
  } catch (error) {
    throw errorCode(error) === DENIED_CODE ? await howToAllow(client, error) : error;
  } finally {
    await client.end();
  }
}

async function makeDatabase(client: pg.Client, adminUrl: string, context: ContextName): Promise<string> {
  const url = new URL(adminUrl);
  const beside = url.pathname.slice(1);
  if (!PLAIN_NAME.test(beside)) {
    throw new Error(
      `DATABASE_URL: the database ${beside} must be named in small letters, digits and underscores here.`,
    );
  }
  const database = `${beside}_${context}`;
  const owner = `${database}_owner`;
  const password = randomBytes(PASSWORD_BYTES).toString('hex');
  await createRole(client, roleOf(context));
  await createRole(client, owner);
  await client.query(`ALTER ROLE ${owner} LOGIN PASSWORD '${password}'`);
  // Who runs a context makes its tables and acts as the context's own, lesser role; so it does for `verify`.
  await client.query(`GRANT ${roleOf(context)}, ${AUDITOR_ROLE} TO ${owner}`);
  const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [database]);
  if (rowCount === 0) await client.query(`CREATE DATABASE ${database} OWNER ${owner}`);
  await client.query(`REVOKE ALL ON DATABASE ${database} FROM PUBLIC`);
  await client.query(`GRANT TEMPORARY ON DATABASE ${database} TO ${AUDITOR_ROLE}`);
  url.username = owner;
  url.password = password;
  url.pathname = `/${database}`;
  return url.href;
}

async function howToAllow(client: pg.Client, cause: unknown): Promise<Error> {
  const { rows } = await client.query<{ name: string }>('SELECT current_user AS name');
  const name = rows[0]?.name ?? '';
  const reason = cause instanceof Error ? cause.message : String(cause);
  const mend = `Let a superuser run: ALTER ROLE ${name} CREATEROLE CREATEDB;`;
  return new Error(`DATABASE_URL: ${name} may not make roles and databases (${reason}). ${mend}`, { cause });
}
