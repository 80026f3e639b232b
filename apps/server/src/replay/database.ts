import pg from 'pg';

/** What this process makes for a replay when nobody names a database. */
export function databaseNameOf(identity: string): string {
  return `provender_replay_${identity.slice(0, 12)}`;
}

/** The server will not let this role make a database. */
export class MayNotMake extends Error {}

const INSUFFICIENT_PRIVILEGE_CODE = '42501';

/**
 * Gives the address of a database of that name on the server at `url`, and makes it where it is not there; `fresh`
 * takes away what was there before. Throws where the role may not make databases.
 */
export async function ownDatabase(url: string, name: string, fresh: boolean): Promise<string> {
  const client = new pg.Client({ connectionString: url, application_name: 'replay' });
  await client.connect();
  try {
    const quoted = client.escapeIdentifier(name);
    if (fresh) await client.query(`DROP DATABASE IF EXISTS ${quoted} WITH (FORCE)`);
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
    if (rowCount === 0) await makeDatabase(client, quoted);
  } finally {
    await client.end();
  }
  const own = new URL(url);
  own.pathname = `/${name}`;
  return own.href;
}

async function makeDatabase(client: pg.Client, quoted: string): Promise<void> {
  try {
    await client.query(`CREATE DATABASE ${quoted}`);
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === INSUFFICIENT_PRIVILEGE_CODE) throw new MayNotMake();
    throw error;
  }
}
