import { setTimeout as wait } from 'node:timers/promises';
import type { ContextName } from '@provender/contracts';
import { formatInstant, type Instant, instant } from '@provender/kernel';
import pg from 'pg';
import { type DayDemand, type ReplayState, type StateJson, stateFrom, stateJson } from './state.ts';

// What the replay itself keeps, in a schema of its own beside those of the contexts: the same database, so that a copy
// or a loss of one is a copy or a loss of both.

const MAKE = `
  CREATE SCHEMA IF NOT EXISTS replay;
  CREATE TABLE IF NOT EXISTS replay.run (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    identity text NOT NULL,
    started_at timestamptz,
    clock timestamptz,
    state json,
    is_done boolean NOT NULL DEFAULT false
  );
  -- Lines that were not sold, in the order of the file.
  CREATE TABLE IF NOT EXISTS replay.lines (
    number bigint PRIMARY KEY,
    outcome text NOT NULL CHECK (outcome IN ('refused', 'listed')),
    reason text NOT NULL,
    content text NOT NULL
  );
  CREATE TABLE IF NOT EXISTS replay.demand (
    date date NOT NULL,
    item text NOT NULL,
    wanted integer NOT NULL,
    refused integer NOT NULL,
    PRIMARY KEY (date, item)
  )`;

const CLAIM = `INSERT INTO replay.run (identity) VALUES ($1) ON CONFLICT (single) DO UPDATE SET identity = run.identity
  RETURNING identity`;
const LOAD = 'SELECT started_at AS "startedAt", clock, state, is_done AS "isDone" FROM replay.run';
const SAVE = 'UPDATE replay.run SET clock = $1, state = $2, is_done = $3, started_at = coalesce(started_at, $4)';
const ADD_LINES = `INSERT INTO replay.lines (number, outcome, reason, content)
  SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) ON CONFLICT DO NOTHING`;
const ADD_DEMAND = `INSERT INTO replay.demand (date, item, wanted, refused)
  SELECT * FROM unnest($1::date[], $2::text[], $3::integer[], $4::integer[]) ON CONFLICT DO NOTHING`;
const READ_LINES = `SELECT number, outcome, reason, content FROM replay.lines
  WHERE number > $1 ORDER BY number LIMIT $2`;
const READ_REASONS = `SELECT outcome, reason, count(*)::integer AS lines FROM replay.lines
  GROUP BY outcome, reason ORDER BY outcome, lines DESC, reason`;
const READ_DEMAND = `SELECT date::text, item, wanted, refused FROM replay.demand ORDER BY date, item`;
const LOCK = 'SELECT pg_try_advisory_lock($1) AS held';
const OTHERS = `SELECT count(*)::integer AS count FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'provender %'`;
const THERE = `SELECT to_regclass('catalog.outbox') IS NOT NULL AS catalog,
  to_regclass('replay.run') IS NOT NULL AS replay`;
const CATALOG_USED = 'SELECT EXISTS (SELECT FROM catalog.outbox) AS used';

const REPLAY_LOCK = 7_236_540_114;
const LINES_READ_AT_ONCE = 1_000;
const ALONE_MILLISECONDS_MAX = 15_000;
const ALONE_PAUSE_MILLISECONDS = 100;

export type LineOutcome = {
  readonly number: number;
  readonly outcome: 'refused' | 'listed';
  readonly reason: string;
  readonly content: string;
};

export type Saved = {
  readonly startedAt: Instant | null;
  readonly clock: Instant | null;
  readonly state: ReplayState | null;
  readonly isDone: boolean;
};

export type Checkpoint = {
  readonly startedAt: Instant;
  readonly clock: Instant;
  readonly state: ReplayState;
  readonly isDone: boolean;
  readonly lines: readonly LineOutcome[];
  readonly demand: readonly DayDemand[];
};

/** Why a database cannot be played in, in words for whoever asked. */
export class NotOurs extends Error {}

export type ReplayStore = {
  load(): Promise<Saved>;
  /** Everything since the last one, in one transaction: so each line and each day is counted once. */
  save(checkpoint: Checkpoint): Promise<void>;
  /** The latest moment at which anything was said in any of these logs; null where nothing was. */
  latestEvent(contexts: readonly ContextName[]): Promise<Instant | null>;
  lines(): AsyncGenerator<LineOutcome>;
  reasons(): Promise<{ outcome: LineOutcome['outcome']; reason: string; lines: number }[]>;
  demand(): Promise<{ date: string; item: string; wanted: number; refused: number }[]>;
  close(): Promise<void>;
};

/**
 * Opens what a replay keeps, for one process at a time. Refuses a database that holds something else than this replay,
 * or that another process uses.
 */
export async function openReplayStore(url: string, identity: string): Promise<ReplayStore> {
  const client = new pg.Client({ connectionString: url, application_name: 'replay', keepAlive: true });
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query("SET timezone = 'UTC'; SET client_min_messages = warning");
    await claim(client, identity);
  } catch (error) {
    await client.end();
    throw error;
  }
  return {
    load: () => load(client),
    save: (checkpoint) => save(client, checkpoint),
    latestEvent: (contexts) => latestEvent(client, contexts),
    lines: () => readLineOutcomes(client),
    reasons: async () => (await client.query(READ_REASONS)).rows,
    demand: async () => (await client.query(READ_DEMAND)).rows,
    close: () => client.end(),
  };
}

async function claim(client: pg.Client, identity: string): Promise<void> {
  await waitUntilAlone(client);
  const { rows: there } = await client.query<{ catalog: boolean; replay: boolean }>(THERE);
  if (there[0]?.catalog === true && !there[0].replay) {
    const { rows } = await client.query<{ used: boolean }>(CATALOG_USED);
    if (rows[0]?.used === true) throw new NotOurs('it holds a shop already');
  }
  await client.query(MAKE);
  const { rows } = await client.query<{ identity: string }>(CLAIM, [identity]);
  if (rows[0]?.identity !== identity) throw new NotOurs('it holds a replay of another file, or with other options');
}

/** A process that was killed a moment ago may still have a statement running; what it commits must be seen. */
async function waitUntilAlone(client: pg.Client): Promise<void> {
  const giveUpAt = performance.now() + ALONE_MILLISECONDS_MAX;
  for (;;) {
    const { rows: locks } = await client.query<{ held: boolean }>(LOCK, [REPLAY_LOCK]);
    const { rows: others } = await client.query<{ count: number }>(OTHERS);
    if (locks[0]?.held === true && others[0]?.count === 0) return;
    if (performance.now() > giveUpAt) throw new NotOurs('another process is using it');
    await wait(ALONE_PAUSE_MILLISECONDS);
  }
}

async function load(client: pg.Client): Promise<Saved> {
  type Row = { startedAt: Date | null; clock: Date | null; state: StateJson | null; isDone: boolean };
  const { rows } = await client.query<Row>(LOAD);
  const [row] = rows;
  if (row === undefined) throw new Error('The replay has no row of its own');
  const state = row.state === null ? null : stateFrom(row.state);
  return { startedAt: momentOf(row.startedAt), clock: momentOf(row.clock), state, isDone: row.isDone };
}

async function save(client: pg.Client, { startedAt, clock, state, isDone, lines, demand }: Checkpoint): Promise<void> {
  await client.query('BEGIN');
  if (lines.length > 0) {
    await client.query(ADD_LINES, [
      lines.map(({ number }) => number),
      lines.map(({ outcome }) => outcome),
      lines.map(({ reason }) => reason),
      lines.map(({ content }) => content),
    ]);
  }
  if (demand.length > 0) {
    await client.query(ADD_DEMAND, [
      demand.map(({ date }) => date),
      demand.map(({ item }) => item),
      demand.map(({ wanted }) => wanted),
      demand.map(({ refused }) => refused),
    ]);
  }
  await client.query(SAVE, [formatInstant(clock), JSON.stringify(stateJson(state)), isDone, formatInstant(startedAt)]);
  await client.query('COMMIT');
}

async function latestEvent(client: pg.Client, contexts: readonly ContextName[]): Promise<Instant | null> {
  let latest: Instant | null = null;
  for (const context of contexts) {
    const text = `SELECT time FROM ${context}.outbox ORDER BY position DESC LIMIT 1`;
    const moment = momentOf((await client.query<{ time: Date }>(text)).rows[0]?.time ?? null);
    if (moment !== null && (latest === null || moment > latest)) latest = moment;
  }
  return latest;
}

async function* readLineOutcomes(client: pg.Client): AsyncGenerator<LineOutcome> {
  let after = 0;
  for (;;) {
    type Row = Omit<LineOutcome, 'number'> & { number: string };
    const { rows } = await client.query<Row>(READ_LINES, [after, LINES_READ_AT_ONCE]);
    for (const row of rows) yield { ...row, number: Number(row.number) };
    const last = rows.at(-1);
    if (last === undefined) return;
    after = Number(last.number);
  }
}

function momentOf(date: Date | null): Instant | null {
  return date === null ? null : instant(date.getTime());
}
