import pg from 'pg';
import { cpuMillisecondsOf, cpuMillisecondsOfTree, machineBusyMilliseconds, readProcessTimes } from './cpu.ts';
import { databasesOf, type Shape } from './shapes.ts';

/** What has been used so far; CPU in milliseconds by part: processes by name, `kafka`, `database of orders` … */
export type Used = {
  readonly parts: ReadonlyMap<string, number>;
  /** All that the machine's cores have done, for anybody. */
  readonly machine: number;
  /** What PostgreSQL has written to its log for all databases, and what all databases take. */
  readonly walBytes: number;
  readonly databaseBytes: number;
};

const OTHER_BACKENDS = 'database, the rest';

/**
 * What PostgreSQL does for one context is what the server processes of its connections do; its writers and what
 * connections have done that are closed again is the rest.
 */
export async function usedSoFar(shape: Shape): Promise<Used> {
  const { backends, ...bytes } = await askDatabase(shape);
  const times = readProcessTimes();
  const parts = new Map<string, number>();
  const add = (name: string, milliseconds: number) => parts.set(name, (parts.get(name) ?? 0) + milliseconds);
  for (const { name, pid } of shape.parts) add(name, cpuMillisecondsOfTree(pid, times));
  if (shape.kafkaPid !== undefined) add('kafka', cpuMillisecondsOfTree(shape.kafkaPid, times));
  add(OTHER_BACKENDS, cpuMillisecondsOfTree(shape.postgres.pid, times));
  for (const [pid, name] of backends) {
    const own = cpuMillisecondsOf(pid, times);
    add(name, own);
    add(OTHER_BACKENDS, -own);
  }
  return { parts, machine: machineBusyMilliseconds(), ...bytes };
}

type Answer = Pick<Used, 'walBytes' | 'databaseBytes'> & { readonly backends: ReadonlyMap<number, string> };

async function askDatabase(shape: Shape): Promise<Answer> {
  const databases = databasesOf(shape);
  const client = new pg.Client({ connectionString: shape.postgres.superuserUrl });
  await client.connect();
  const { rows } = await client.query<{ pid: number; name: string }>(
    `SELECT pid, datname AS name FROM pg_stat_activity
     WHERE backend_type = 'client backend' AND datname IS NOT NULL AND pid <> pg_backend_pid()`,
  );
  const bytes = await client.query<Pick<Used, 'walBytes' | 'databaseBytes'>>(
    `SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 AS "walBytes",
       (SELECT sum(pg_database_size(oid))::float8 FROM pg_database) AS "databaseBytes"`,
  );
  await client.end();
  // In one database everybody's backends are the same.
  const nameOf = (name: string) =>
    databases.size === 1 ? 'database' : `database of ${databases.get(name) ?? 'others'}`;
  return {
    backends: new Map(rows.map(({ pid, name }) => [pid, nameOf(name)] as const)),
    walBytes: bytes.rows[0]?.walBytes ?? 0,
    databaseBytes: bytes.rows[0]?.databaseBytes ?? 0,
  };
}
