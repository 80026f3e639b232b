import { CONTEXT_NAMES, type ContextName } from '@provender/contracts';
import { SECOND } from '@provender/kernel';
import { AUDITOR_ROLE } from '@provender/platform';
import pg from 'pg';

/** Where the contexts stand: all in one database, or each in that of its name. Of the roles that own them. */
export type DatabaseUrls = string | Readonly<Partial<Record<ContextName, string>>>;

/** One database, and what of the system stands in it. Its clients act as the auditor, in one snapshot while looking. */
export type Home = {
  readonly url: string;
  readonly contexts: readonly ContextName[];
  readonly clients: readonly [pg.Client, ...pg.Client[]];
};

const CHECK_SECONDS_MAX = 120;
/** So that a million rows are joined in memory. */
const WORK_MEMORY = '128MB';

/** Connects to every database, so many times to each. Throws where one has never been that of a started Provender. */
export async function openHomes(urls: DatabaseUrls, connections: number): Promise<Home[]> {
  const wanted = new Map<string, ContextName[]>();
  if (typeof urls === 'string') wanted.set(urls, [...CONTEXT_NAMES]);
  else {
    for (const context of CONTEXT_NAMES) {
      const url = urls[context];
      if (url !== undefined) wanted.set(url, [...(wanted.get(url) ?? []), context]);
    }
  }
  const opened = await Promise.allSettled(
    [...wanted].map(([url, contexts]) => openHome(url, contexts, connections, typeof urls !== 'string')),
  );
  const homes = opened.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const failed = opened.find((each) => each.status === 'rejected');
  if (failed === undefined && homes.length > 0) return homes;
  await closeHomes(homes);
  throw failed?.reason ?? new Error('Nothing can be verified without a database');
}

async function openHome(
  url: string,
  wanted: readonly ContextName[],
  connections: number,
  isNamed: boolean,
): Promise<Home> {
  const first = connectionTo(url);
  const clients = [first, ...Array.from({ length: connections - 1 }, () => connectionTo(url))] as const;
  try {
    await Promise.all(clients.map((client) => client.connect()));
    const contexts = await presentContexts(first, wanted);
    // Who names databases one by one means each of them; one database may have been begun with some contexts only.
    const missing = isNamed ? wanted.filter((context) => !contexts.includes(context)) : [];
    if (contexts.length === 0 || missing.length > 0) {
      const what = isNamed ? `the database of ${missing.join(', ')}` : 'this database';
      throw new Error(`Provender has never been started on ${what}: run npm start first.`);
    }
    for (const client of clients) await client.query(`SET ROLE ${AUDITOR_ROLE}`);
    return { url, contexts, clients };
  } catch (error) {
    await Promise.all(clients.map((client) => client.end().catch(() => {})));
    throw error;
  }
}

export async function closeHomes(homes: readonly Home[]): Promise<void> {
  await Promise.all(homes.flatMap(({ clients }) => clients.map((client) => client.end())));
}

/** A connection for looking, as whoever the address names. */
export function connectionTo(url: string): pg.Client {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'provender verify',
    options: `-c statement_timeout=${CHECK_SECONDS_MAX * SECOND} -c work_mem=${WORK_MEMORY} -c jit=off -c timezone=UTC`,
  });
  client.on('error', () => {});
  return client;
}

async function presentContexts(client: pg.Client, wanted: readonly ContextName[]): Promise<ContextName[]> {
  const { rows } = await client.query<{ name: string }>('SELECT nspname AS name FROM pg_namespace');
  const schemas = new Set(rows.map((row) => row.name));
  return wanted.filter((context) => schemas.has(context));
}

const BEGIN = 'BEGIN ISOLATION LEVEL REPEATABLE READ';

/** All connections to a database see the same moment of it, whatever is committed meanwhile. Gives its snapshot. */
export async function beginLook({ clients: [first, ...others] }: Home): Promise<string> {
  await first.query(`${BEGIN} READ ONLY`);
  const { rows } = await first.query<{ snapshot: string }>('SELECT pg_export_snapshot() AS snapshot');
  const snapshot = rows[0]?.snapshot ?? '';
  for (const client of others) await joinLook(client, snapshot, 'READ ONLY');
  return snapshot;
}

export async function joinLook(client: pg.Client, snapshot: string, access: 'READ ONLY' | 'READ WRITE'): Promise<void> {
  await client.query(`${BEGIN} ${access}`);
  await client.query(`SET TRANSACTION SNAPSHOT '${snapshot}'`);
}

export async function endLook({ clients }: Home): Promise<void> {
  await Promise.all(clients.map((client) => client.query('ROLLBACK')));
}

/** True while a process of some context has connections to this database. */
export async function isInUse({ clients: [client] }: Home): Promise<boolean> {
  const { rows } = await client.query<{ count: string }>(`
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
      AND application_name ~ '^provender [a-z]+ (loop|requests)$'`);
  return Number(rows[0]?.count) > 0;
}
