import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CONTEXT_NAMES, type ContextName, type Said } from '@provender/contracts';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  type Database,
  type EmbeddedPostgres,
  eventLog,
  manualClock,
  migrate,
  openDatabase,
  openReactor,
  postgresTransport,
  type Reactions,
  type Reactor,
  randomIds,
  roleOf,
  startEmbeddedPostgres,
  type Transport,
} from '../src/index.ts';
import { TEST_NOON } from '../src/testing/index.ts';
import { greetings } from './greetings.ts';
import { registered, toyModule, withdrawn } from './toy-context.ts';

const NO_MIGRATIONS = new URL('../src/testing/no-migrations/', import.meta.url);
const RECOVERY = { timeout: 30_000, interval: 50 };

const HEAR = {
  name: 'hear',
  text: `INSERT INTO bank.heard (id, position)
    SELECT id, position FROM unnest($1::uuid[], $2::bigint[]) AS said (id, position)`,
};

let folder: string;
let server: EmbeddedPostgres;
let transport: Transport;
let identity: Database;
let admin: Database;
const reactors: Reactor[] = [];
const databases: Database[] = [];

/** What the bank waits for, with events in hand, before it begins its transaction. */
let hold: Promise<void> | undefined;
let held: (() => void) | undefined;
let everybodyIsHeld = false;
let runs = 0;
const unwanted: Said = { ...withdrawn('nobody'), type: 'catalog.site-defined.v1' } as unknown as Said;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'provender-test-crash-'));
  server = await startEmbeddedPostgres({ dataFolder: folder });
  await migrate(
    server.url,
    CONTEXT_NAMES.map((context) => ({
      context,
      migrations: context === 'catalog' ? toyModule().migrations : NO_MIGRATIONS,
    })),
  );
  admin = openDatabase({ url: server.superuserUrl, connectionsMax: 1, applicationName: 'admin' });
  await sql('CREATE TABLE bank.heard (id uuid, position bigint); GRANT ALL ON bank.heard TO provender_bank');
  transport = postgresTransport();
  identity = open('identity', 'on');
  await loop('catalog', { 'identity.user-registered.v1': greetAndMore });
  await loop('bank', {
    async 'catalog.product-withdrawn.v1'(events, tx) {
      await tx.query(HEAR, [events.map(({ id }) => id), events.map(({ position }) => position)]);
    },
  });
});

const greet = greetings()['identity.user-registered.v1'];

/** Greets, and says things that nobody wants, more or fewer with each run: what is lost does not come back the same. */
const greetAndMore: NonNullable<Reactions['identity.user-registered.v1']> = async (events, tx) => {
  runs += 1;
  tx.append(Array.from({ length: runs % 3 }, () => unwanted));
  await greet?.(events, tx);
};

afterAll(async () => {
  for (const reactor of reactors) await reactor.stop();
  for (const db of databases) await db.close();
  await admin.close();
  await transport.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

function open(context: ContextName, synchronousCommit: 'on' | 'off'): Database {
  const log = eventLog(context, manualClock(TEST_NOON), randomIds());
  const db = openDatabase({
    url: server.url,
    role: roleOf(context),
    schema: context,
    connectionsMax: 1,
    applicationName: context,
    synchronousCommit,
    seal: (query, said) => log.append(query, said),
  });
  db.onCommitted((events) => transport.committed(context, events));
  databases.push(db);
  return db;
}

/** A loop whose commits do not wait for the disk. */
async function loop(context: ContextName, reactions: Reactions): Promise<void> {
  const db = open(context, 'off');
  const log = eventLog(context, manualClock(TEST_NOON), randomIds());
  const holding: Database = {
    ...db,
    async withTx(work, seal) {
      if (hold !== undefined && (context === 'bank' || everybodyIsHeld)) {
        held?.();
        await hold;
      }
      return db.withTx(work, seal);
    },
  };
  const reactor = openReactor({ context, db: holding, log, transport, reactions, onError: () => {} });
  reactors.push(reactor);
  await reactor.start();
}

async function sql<Row = Record<string, unknown>>(text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: server.superuserUrl });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

async function say(subjects: readonly string[]): Promise<void> {
  const events: readonly Said[] = subjects.map(registered);
  await identity.withTx(async (tx) => tx.append(events));
}

async function headOfCatalog(): Promise<number> {
  const [row] = await sql<{ position: string }>('SELECT position FROM catalog.outbox_head');
  return Number(row?.position);
}

type Heard = { readonly id: string; readonly position: string };

/** Everything that was said has been consumed, twice over, and each of it once: by its id, and not only its place. */
async function expectWhole(subjects: readonly string[]): Promise<void> {
  await vi.waitFor(async () => {
    const greeted = await sql<{ subject: string }>('SELECT subject FROM catalog.greetings ORDER BY ordinal');
    expect(greeted.map((row) => row.subject)).toEqual(subjects);
    const log = await sql<Said & Heard>('SELECT id, position, type, subject FROM catalog.outbox ORDER BY position');
    expect(log.map((row) => Number(row.position))).toEqual(log.map((_, index) => index + 1));
    const said = log.filter(({ type }) => type === 'catalog.product-withdrawn.v1');
    expect(said.map(({ subject }) => subject)).toEqual(subjects);
    const heard = await sql<Heard>('SELECT id, position FROM bank.heard ORDER BY position');
    expect(heard).toEqual(said.map(({ id, position }) => ({ id, position })));
  }, RECOVERY);
}

/** Stops the process that writes the log in the background, so that what nobody waits for stays in memory. */
async function stopWalWriter(): Promise<readonly number[]> {
  const processes = await sql<{ pid: number; kind: string }>('SELECT pid, backend_type AS kind FROM pg_stat_activity');
  const writer = processes.find(({ kind }) => kind === 'walwriter');
  if (writer !== undefined) process.kill(writer.pid, 'SIGSTOP');
  return processes.map(({ pid }) => pid);
}

/** What a power cut does to the server, as far as its memory goes. */
async function crash(children: readonly number[]): Promise<void> {
  const { pid } = server;
  for (const each of [pid, ...children]) {
    try {
      process.kill(each, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
  await vi.waitFor(() => expect(server.pid).not.toBe(pid), RECOVERY);
  await vi.waitFor(() => sql('SELECT 1'), RECOVERY);
}

describe('a server that dies with commits in its memory', { timeout: 60_000 }, () => {
  const all: string[] = [];

  test('given events that were lost, when it is back, then nobody acts on them and their like come once', async () => {
    await say(['ann']);
    await expectWhole(['ann']);
    const children = await stopWalWriter();
    const release = Promise.withResolvers<void>();
    const bankIsHeld = Promise.withResolvers<void>();
    held = bankIsHeld.resolve;
    hold = release.promise;
    await say(['bob', 'eve']);
    // The catalog has answered both, in the server's memory and in ours, and the bank has the answers in hand.
    await bankIsHeld.promise;
    const before = await headOfCatalog();
    everybodyIsHeld = true;
    await crash(children);
    expect(await headOfCatalog()).toBeLessThan(before);
    hold = undefined;
    release.resolve();
    all.push('ann', 'bob', 'eve');

    await expectWhole(all);
  });

  test('given load all the while, when it dies again and again, then everything takes effect once', async () => {
    held = undefined;
    for (let round = 0; round < 3; round += 1) {
      const children = await stopWalWriter();
      for (let count = 0; count < 40; count += 1) {
        const subject = `round-${round}-${count}`;
        await say([subject]);
        all.push(subject);
      }
      await crash(children);
    }

    await expectWhole(all);
  });
});
