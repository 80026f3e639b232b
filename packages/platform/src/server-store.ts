import { randomBytes } from 'node:crypto';
import type { JSONWebKeySet } from 'jose';
import pg from 'pg';
import type { KeyShelf } from './http/token-keys.ts';

const SECRET_BYTES = 32;
/** Taken by whoever makes something in the schema `platform`. */
export const PLATFORM_SCHEMA_LOCK = 7_236_540_113;

// Who asks too often (count-store.ts). Unlogged: after a crash everybody begins anew.
const REQUEST_COUNTS = `CREATE UNLOGGED TABLE IF NOT EXISTS platform.request_counts (
  key text PRIMARY KEY, ends_at timestamptz NOT NULL, count bigint NOT NULL)`;

/** What the installation itself keeps, in a schema that no context's role may read. */
export type ServerStore = {
  /** Seals what Idempotency-Keys keep: made once, the same in every process and after every restart. */
  readonly secret: Buffer;
  /** How far a named piece of work has come, such as loading the demo; undefined where it was never begun. */
  progressOf(name: string): Promise<string | undefined>;
  noteProgress(name: string, state: string): Promise<void>;
  /** Does that work while no other process does it; who comes second waits. */
  alone(name: string, work: () => Promise<void>): Promise<void>;
  /** The keys of access tokens that were read last, by issuer: for a restart while identity is away. */
  readonly tokenKeys: KeyShelf;
};

/** Opens it, and makes it where it is not there; several processes may do so at once. */
export async function openServerStore(ownerUrl: string): Promise<ServerStore> {
  const secret = await withClient(ownerUrl, async (client) => {
    await client.query('SELECT pg_advisory_lock($1)', [PLATFORM_SCHEMA_LOCK]);
    await client.query('CREATE SCHEMA IF NOT EXISTS platform');
    await client.query('CREATE TABLE IF NOT EXISTS platform.secrets (name text PRIMARY KEY, value bytea NOT NULL)');
    await client.query('CREATE TABLE IF NOT EXISTS platform.progress (name text PRIMARY KEY, state text NOT NULL)');
    await client.query('CREATE TABLE IF NOT EXISTS platform.token_keys (issuer text PRIMARY KEY, keys jsonb NOT NULL)');
    await client.query(REQUEST_COUNTS);
    const made = randomBytes(SECRET_BYTES);
    await client.query("INSERT INTO platform.secrets VALUES ('server', $1) ON CONFLICT DO NOTHING", [made]);
    const { rows } = await client.query<{ value: Buffer }>("SELECT value FROM platform.secrets WHERE name = 'server'");
    return rows[0]?.value ?? made;
  });
  return {
    secret,
    progressOf: (name) =>
      withClient(ownerUrl, async (client) => {
        const text = 'SELECT state FROM platform.progress WHERE name = $1';
        const { rows } = await client.query<{ state: string }>(text, [name]);
        return rows[0]?.state;
      }),
    noteProgress: (name, state) =>
      withClient(ownerUrl, async (client) => {
        const text = 'INSERT INTO platform.progress VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET state = $2';
        await client.query(text, [name, state]);
      }),
    alone: (name, work) =>
      withClient(ownerUrl, async (client) => {
        // Goes with the connection, so a process that dies over its work blocks nobody.
        await client.query("SELECT pg_advisory_lock(hashtext('provender work'), hashtext($1))", [name]);
        await work();
      }),
    tokenKeys: tokenKeys(ownerUrl),
  };
}

function tokenKeys(ownerUrl: string): KeyShelf {
  return {
    kept: (issuer) =>
      withClient(ownerUrl, async (client) => {
        const text = 'SELECT keys FROM platform.token_keys WHERE issuer = $1';
        const { rows } = await client.query<{ keys: JSONWebKeySet }>(text, [issuer]);
        return rows[0]?.keys;
      }),
    keep: (issuer, keys) =>
      withClient(ownerUrl, async (client) => {
        const text = 'INSERT INTO platform.token_keys VALUES ($1, $2) ON CONFLICT (issuer) DO UPDATE SET keys = $2';
        await client.query(text, [issuer, JSON.stringify(keys)]);
      }),
  };
}

async function withClient<Value>(url: string, work: (client: pg.Client) => Promise<Value>): Promise<Value> {
  const client = new pg.Client({ connectionString: url, application_name: 'provender server store' });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
