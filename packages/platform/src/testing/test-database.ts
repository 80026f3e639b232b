import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';

export type TestDatabase = {
  readonly url: string;
  readonly superuserUrl: string;
  /** Removes the database, also from under connections that are still open. */
  drop(): Promise<void>;
};

const TEMPLATE_LOCK = 7_203_114;

/**
 * Makes a database that no other test knows, empty or as a copy of a template that `ensureTemplate` made; needs some
 * tens of milliseconds. Ask for one in `beforeAll`, drop it in `afterAll`; the cluster goes away with the run anyway.
 */
export async function createTestDatabase(options: { readonly template?: string } = {}): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await withAdmin(async (client) => {
    const template = options.template ?? 'template1';
    await client.query(`CREATE DATABASE ${name} OWNER provender TEMPLATE ${client.escapeIdentifier(template)}`);
  });
  return {
    url: urlOf(inject('postgres').url, name),
    superuserUrl: urlOf(inject('postgres').superuserUrl, name),
    drop: () => dropDatabase(name),
  };
}

/**
 * Makes a template once in a run, whoever asks for it first; the others wait until it is there. `migrate` gets the
 * template's url (of the role `provender`, which owns it) and must have closed its connections when it is done.
 */
export async function ensureTemplate(template: string, migrate: (url: string) => Promise<void>): Promise<void> {
  await withAdmin(async (client) => {
    // The lock ends with the connection, so a worker that dies while it migrates blocks nobody.
    await client.query('SELECT pg_advisory_lock($1, hashtext($2))', [TEMPLATE_LOCK, template]);
    const found = await client.query('SELECT FROM pg_database WHERE datname = $1', [template]);
    if (found.rowCount !== 0) return;
    const unfinished = `${template}_unfinished`;
    const [from, to] = [client.escapeIdentifier(unfinished), client.escapeIdentifier(template)];
    await client.query(`DROP DATABASE IF EXISTS ${from} WITH (FORCE)`);
    await client.query(`CREATE DATABASE ${from} OWNER provender`);
    await migrate(urlOf(inject('postgres').url, unfinished));
    await client.query(`ALTER DATABASE ${from} RENAME TO ${to}`);
  });
}

async function dropDatabase(name: string): Promise<void> {
  await withAdmin((client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
}

async function withAdmin<Value>(work: (client: pg.Client) => Promise<Value>): Promise<Value> {
  const client = new pg.Client({ connectionString: urlOf(inject('postgres').superuserUrl, 'postgres') });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function urlOf(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}
