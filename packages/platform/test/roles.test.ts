import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CONTEXT_NAMES } from '@provender/contracts';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AUDITOR_ROLE, type Migratable, migrate, roleOf, startEmbeddedPostgres } from '../src/index.ts';
import { hasOlderPostgres, startOlderPostgres } from './older-postgres.ts';
import { toyModule } from './toy-context.ts';

const NO_MIGRATIONS = new URL('../src/testing/no-migrations/', import.meta.url);
const DENIED = '42501';
const STARTS = 10;

const toyModules: readonly Migratable[] = CONTEXT_NAMES.map((context) => ({
  context,
  migrations: context === 'catalog' ? toyModule().migrations : NO_MIGRATIONS,
}));

/** The contexts as they are in this tree. */
const realModules: readonly Migratable[] = CONTEXT_NAMES.map((context) => {
  const migrations = new URL(`../../../contexts/${context}/migrations/`, import.meta.url);
  return { context, migrations: existsSync(fileURLToPath(migrations)) ? migrations : NO_MIGRATIONS };
});

type Server = { readonly superuserUrl: string; stop(): Promise<void> };

async function startNewest(): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'provender-test-roles-'));
  const server = await startEmbeddedPostgres({ dataFolder: folder, settings: { fsync: 'off' } });
  return {
    superuserUrl: server.superuserUrl,
    async stop() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const servers = [
  { name: 'the PostgreSQL that comes along', start: startNewest },
  ...(hasOlderPostgres ? [{ name: 'PostgreSQL 15', start: startOlderPostgres }] : []),
];

test('given a machine with PostgreSQL 15, then the oldest one that is supported is tried too', ({ skip }) => {
  skip(!hasOlderPostgres, 'no PostgreSQL 15 on this machine');
  expect(servers).toHaveLength(2);
});

/** What any supported PostgreSQL must allow and forbid, on a server that has never seen Provender. */
describe.each(servers)('roles and migrations on $name', ({ start }) => {
  let server: Server;
  let ownerUrl: string;

  beforeAll(async () => {
    server = await start();
    await as(server.superuserUrl, "CREATE ROLE shop LOGIN CREATEROLE PASSWORD 'shop'; CREATE DATABASE shop");
  });
  afterAll(() => server?.stop());

  /** Runs statements one by one on a connection of its own, as `SET ROLE` to a role where one is named. */
  async function as(url: string, statements: string, role?: string): Promise<unknown> {
    const client = new pg.Client({
      connectionString: url,
      ...(role === undefined ? {} : { options: `-c role=${role}` }),
    });
    await client.connect();
    try {
      for (const text of statements.split(';').filter((each) => each.trim() !== '')) await client.query(text);
      return 'done';
    } catch (error) {
      return error instanceof pg.DatabaseError ? error.code : error;
    } finally {
      await client.end();
    }
  }

  async function rows(url: string, text: string): Promise<unknown[]> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  }

  function urlOf(user: string, database: string): string {
    const url = new URL(server.superuserUrl);
    url.username = user;
    url.password = user;
    url.pathname = `/${database}`;
    return url.href;
  }

  function adminOf(database: string): string {
    const url = new URL(server.superuserUrl);
    url.pathname = `/${database}`;
    return url.href;
  }

  test('given an owner who may only make roles, when ten processes migrate at once, then all end well', async () => {
    await as(server.superuserUrl, 'ALTER DATABASE shop OWNER TO shop');
    await as(adminOf('shop'), 'GRANT CREATE ON DATABASE shop TO shop');
    ownerUrl = urlOf('shop', 'shop');
    await Promise.all(Array.from({ length: STARTS }, () => migrate(ownerUrl, toyModules)));

    expect(await rows(ownerUrl, 'SELECT name FROM catalog.migrations')).toEqual([{ name: '0001-greetings' }]);
    expect(await rows(ownerUrl, "SELECT rolname FROM pg_roles WHERE rolname ~ '^provender_' ORDER BY 1")).toHaveLength(
      CONTEXT_NAMES.length + 1,
    );
    await migrate(ownerUrl, toyModules);
  });

  test('given other databases of the same owner, when they migrate at once, then all end well', async () => {
    for (const database of ['first', 'second', 'third']) {
      await as(server.superuserUrl, `CREATE DATABASE ${database} OWNER shop`);
    }
    await Promise.all(
      ['first', 'second', 'third', 'first', 'second'].map((database) => migrate(urlOf('shop', database), toyModules)),
    );
    expect(await rows(urlOf('shop', 'third'), 'SELECT count(*)::int AS n FROM catalog.migrations')).toEqual([{ n: 1 }]);
  });

  test('given another owner whom nobody let act as the roles, when migrating, then it works or says what to do', async () => {
    await as(server.superuserUrl, "CREATE ROLE other LOGIN CREATEROLE PASSWORD 'other'");
    await as(server.superuserUrl, 'CREATE DATABASE other OWNER other');
    const outcome = await migrate(urlOf('other', 'other'), toyModules).then(
      () => 'it works',
      (error: unknown) => String(error),
    );
    // Before PostgreSQL 16 whoever may make roles may also hand out those of others.
    expect(outcome).toMatch(/it works|GRANT provender_auditor TO other/);
  });

  test('given every context of this tree, when migrated, then it works', async () => {
    await as(server.superuserUrl, 'CREATE DATABASE whole OWNER shop');
    await migrate(urlOf('shop', 'whole'), realModules);
    await expect(migrate(urlOf('shop', 'whole'), realModules)).resolves.toBeUndefined();
  });

  test('given a migration that fails, when the next start comes, then nothing of it is there', async () => {
    await as(server.superuserUrl, 'CREATE DATABASE broken OWNER shop');
    const broken = new URL('./broken-migrations/', import.meta.url);
    const modules = [{ context: 'catalog' as const, migrations: broken }];

    for (const _time of [1, 2]) await expect(migrate(urlOf('shop', 'broken'), modules)).rejects.toThrow(/nowhere/);
    const there = "SELECT to_regclass('catalog.half') AS half, to_regclass('catalog.outbox') IS NOT NULL AS log";
    expect(await rows(urlOf('shop', 'broken'), there)).toEqual([{ half: null, log: true }]);
  });

  const FORBIDDEN = [
    ['read the tables of another context', 'SELECT * FROM identity.timers'],
    ['read the cursors of another context', 'SELECT * FROM identity.cursors'],
    ['read the parked events of another context', 'SELECT * FROM identity.parked_events'],
    ['read the kept answers of another context', 'SELECT * FROM identity.idempotency_keys'],
    ['write the log of another context', 'DELETE FROM identity.outbox'],
    ['append to the log of another context', appendTo('identity')],
    ['extend the log of another context', 'SELECT identity.outbox_extend()'],
    [
      'insert into its own log',
      "INSERT INTO catalog.outbox VALUES (1, gen_random_uuid(), 't', 'k', 's', now(), NULL, '{}')",
    ],
    [
      'insert into a part of it',
      "INSERT INTO catalog.outbox_from_0 VALUES (1, gen_random_uuid(), 't', 'k', 's', now(), NULL, '{}')",
    ],
    ['change its own log', "UPDATE catalog.outbox SET subject = 'x'"],
    ['delete from its own log', 'DELETE FROM catalog.outbox'],
    ['empty its own log', 'TRUNCATE catalog.outbox'],
    ['move the head of its log', 'UPDATE catalog.outbox_head SET position = 0'],
    ['move its cursors', 'UPDATE catalog.cursors SET position = 5'],
    ['forget its cursors', 'DELETE FROM catalog.cursors'],
    ['make tables', 'CREATE TABLE catalog.mine ()'],
    ['change tables', 'ALTER TABLE catalog.greetings ADD COLUMN extra text'],
    ['change the append', 'ALTER FUNCTION catalog.append_events RESET search_path'],
  ] as const;

  test.each(FORBIDDEN)('given the role of a context, it may not %s', async (_what, text) => {
    expect(await as(ownerUrl, text, roleOf('catalog'))).toBe(DENIED);
  });

  const ALLOWED = [
    ['read the log of another context', 'SELECT * FROM identity.outbox; SELECT * FROM identity.outbox_head'],
    ['append to its own log', appendTo('catalog')],
    ['begin to consume', "INSERT INTO catalog.cursors (source, partition, position) VALUES ('identity', 0, 0)"],
    ['let a parked subject go', 'UPDATE catalog.cursors SET epoch = epoch + 1; DELETE FROM catalog.parked_events'],
    ['keep room for its log', 'SELECT catalog.outbox_extend()'],
    [
      'write its own tables',
      "INSERT INTO catalog.greetings (subject, position, text, heard_at) VALUES ('a', 1, 'a', now())",
    ],
  ] as const;

  test.each(ALLOWED)('given the role of a context, it may %s', async (_what, text) => {
    expect(await as(ownerUrl, text, roleOf('catalog'))).toBe('done');
  });

  test('given temporary tables of the same names, when appending, then the real log is written', async () => {
    const [before] = await rows(ownerUrl, 'SELECT position FROM catalog.outbox_head');
    const fake = `CREATE TEMP TABLE outbox_head (single boolean, position bigint);
        INSERT INTO outbox_head VALUES (true, 700);
      CREATE TEMP TABLE outbox (LIKE catalog.outbox); ${appendTo('catalog')}`;
    expect(await as(ownerUrl, fake, roleOf('catalog'))).toBe('done');

    const [after] = await rows(ownerUrl, 'SELECT position FROM catalog.outbox_head');
    expect(after).toEqual({ position: `${Number((before as { position: string }).position) + 1}` });
  });

  test('given the auditor, it may read every table of every context and write none', async () => {
    const tables = (await rows(
      ownerUrl,
      `SELECT schemaname || '.' || tablename AS name FROM pg_tables
       WHERE schemaname IN ('catalog', 'identity', 'bank')`,
    )) as { name: string }[];
    expect(tables.length).toBeGreaterThan(20);
    for (const { name: table } of tables) {
      const read = await as(ownerUrl, `SELECT * FROM ${table} LIMIT 1`, AUDITOR_ROLE);
      const written = await as(ownerUrl, `DELETE FROM ${table}`, AUDITOR_ROLE);
      expect({ table, read, written }).toEqual({ table, read: 'done', written: DENIED });
    }
    expect(await as(ownerUrl, appendTo('catalog'), AUDITOR_ROLE)).toBe(DENIED);
  });

  function appendTo(context: string): string {
    return `SELECT ${context}.append_events('{}', '{}', '{}', '{}', '{}', now(),
        ARRAY[gen_random_uuid()], '{t}', '{k}', '{s}', '{NULL}', ARRAY['{}'])`;
  }
});
