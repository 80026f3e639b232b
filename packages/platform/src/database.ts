import { setTimeout as wait } from 'node:timers/promises';
import type { RecordedEvent, Said } from '@provender/contracts';
import { instant } from '@provender/kernel';
import pg from 'pg';
import { isRace, isStaleStatement } from './database-errors.ts';
import { type Committed, type Seal, transact } from './transaction.ts';

/** A named statement: parsed and planned once per connection. The name is unique within a context. */
export type Statement = { readonly name: string; readonly text: string };

export function statement(name: string, text: string): Statement {
  return { name, text };
}

export type Query = {
  /** Runs one statement and gives its rows. int8 comes as number, timestamptz as Instant, json as parsed. */
  query<Row = Record<string, unknown>>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>;
};

export type Tx = Query & {
  /** Events to be said if, and only if, this transaction commits. They are written last, with the commit. */
  append(events: readonly Said[]): void;
};

export type Database = Query & {
  /**
   * Runs `work` in one transaction and commits. Anything thrown rolls back, and so does a query that failed unheard.
   * Serialisation failures and deadlocks run the whole function again (3 times at most), so it must have no effect
   * outside. Nothing but queries is awaited in it, and not even those whose answer nobody needs: they leave with what
   * comes after them, at the latest with the commit, and save a round trip. Outside of a transaction one can only read:
   * the server refuses more.
   */
  withTx<Value>(work: (tx: Tx) => Promise<Value>, seal?: Seal): Promise<Value>;
  /** Told of the events of every transaction of this database object, once it has committed. Must not throw. */
  onCommitted(listener: (events: readonly RecordedEvent[]) => void): void;
  /** Told of each new connection: what an earlier one had locked or was told may be gone, the first time too. */
  onConnected(listener: () => void): void;
  /** Waits for what is under way. A second call waits for the first. */
  close(): Promise<void>;
};

export type DatabaseOptions = {
  readonly url: string;
  /** The role that the connections act as, so that a context can do no more than it was granted. */
  readonly role?: string;
  readonly schema?: string;
  readonly connectionsMax: number;
  readonly applicationName: string;
  /** `off` only where a later synchronous commit of the same cluster covers this one (docs/decisions). */
  readonly synchronousCommit?: 'on' | 'off';
  /**
   * `generic`: each statement is planned once. Where parameters are sets, the server finds a plan for the very set at
   * hand cheaper by its own figures and plans each time anew: a third of what a small set cost. By default it chooses.
   */
  readonly planMode?: 'generic';
  /** How the events of each transaction are written; without it none can be said. */
  readonly seal?: Seal;
  readonly statementTimeoutMilliseconds?: number;
  /** After so long without an answer a connection is given up: the server hangs, or the network has gone. */
  readonly answerTimeoutMilliseconds?: number;
};

const TX_ATTEMPTS_MAX = 3;
/** Each connection of a pool may have the statement from before. */
const STALE_ATTEMPTS_MAX = 30;
const RACE_PAUSE_MILLISECONDS = 20;
const CONNECT_TIMEOUT_MILLISECONDS = 5_000;
const STATEMENT_TIMEOUT_MILLISECONDS = 30_000;
const LOCK_TIMEOUT_MILLISECONDS = 10_000;
/**
 * Nothing but queries is awaited in a transaction: one that is idle for so long is of a process that was paused, and
 * others wait for its rows.
 */
const IDLE_TX_TIMEOUT_MILLISECONDS = 10_000;

/** Longer than any statement may take: the server itself does not answer. */
const ANSWER_TIMEOUT_MILLISECONDS = 45_000;
const CONNECTION_GONE_SECONDS = { idle: 30, interval: 10, count: 3 };

const INT8 = 20;
const INT8_ARRAY: number = 1016;
const DATE = 1082;
const TIMESTAMPTZ = 1184;

const types = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (oid === INT8) return parseInt8;
    if (oid === TIMESTAMPTZ) return parseTimestamp;
    if (oid === DATE) return asText;
    if (oid === INT8_ARRAY) return parseInt8Array;
    return pg.types.getTypeParser(oid, format as 'text');
  },
};

function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error('An int8 from the database is beyond 2^53');
  return value;
}

const parseTextArray = pg.types.getTypeParser(INT8_ARRAY, 'text') as (text: string) => (string | null)[];

function parseInt8Array(text: string): (number | null)[] {
  return parseTextArray(text).map((item) => (item === null ? null : parseInt8(item)));
}

/** A calendar day stays one: the driver would make it midnight of wherever this process runs. */
function asText(text: string): string {
  return text;
}

function parseTimestamp(text: string): number {
  return instant(Math.floor(Date.parse(text.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00'))));
}

function poolOf(options: DatabaseOptions): pg.Pool {
  const settings = [
    options.role === undefined ? '' : `-c role=${options.role}`,
    options.schema === undefined ? '' : `-c search_path=${options.schema}`,
    `-c statement_timeout=${options.statementTimeoutMilliseconds ?? STATEMENT_TIMEOUT_MILLISECONDS}`,
    `-c lock_timeout=${LOCK_TIMEOUT_MILLISECONDS}`,
    `-c idle_in_transaction_session_timeout=${IDLE_TX_TIMEOUT_MILLISECONDS}`,
    `-c synchronous_commit=${options.synchronousCommit ?? 'on'}`,
    // Only BEGIN READ WRITE lifts it: nothing is written outside of a transaction, not even after a lost BEGIN.
    '-c default_transaction_read_only=on',
    // A machine that is gone without a word gives its locks back after a minute, not after two hours.
    `-c tcp_keepalives_idle=${CONNECTION_GONE_SECONDS.idle}`,
    `-c tcp_keepalives_interval=${CONNECTION_GONE_SECONDS.interval}`,
    `-c tcp_keepalives_count=${CONNECTION_GONE_SECONDS.count}`,
    // Plans for storage without a moving head, whatever the server assumes; with 4 it reads whole tables at times.
    '-c jit=off -c timezone=UTC -c random_page_cost=1.1',
    options.planMode === 'generic' ? '-c plan_cache_mode=force_generic_plan' : '',
  ];
  const pool = new pg.Pool({
    connectionString: options.url,
    application_name: options.applicationName,
    options: settings.join(' '),
    max: options.connectionsMax,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MILLISECONDS,
    idleTimeoutMillis: 0,
    query_timeout: options.answerTimeoutMilliseconds ?? ANSWER_TIMEOUT_MILLISECONDS,
    keepAlive: true,
    types,
    pipeline: true,
  } as pg.PoolConfig);
  // An idle connection that breaks is replaced by the pool, and one in hand tells its queries; but one that breaks just
  // when it changes hands would end the process, if nobody listened.
  pool.on('error', () => {});
  pool.on('connect', (client) => void client.on('error', () => {}));
  return pool;
}

async function run<Row>(pool: pg.Pool, { name, text }: Statement, values?: readonly unknown[]) {
  const result = await pool.query({ name, text, values: values as unknown[] });
  return result.rows as Row[];
}

/**
 * Opens a pool of pipelined connections that act as one role in one schema.
 * Statements sent without waiting for each other share a round trip; an error rolls the whole transaction back.
 */
export function openDatabase(options: DatabaseOptions): Database {
  const pool = poolOf(options);
  const committedListeners: ((events: readonly RecordedEvent[]) => void)[] = [];
  const seal = options.seal ?? noEvents;
  let closing: Promise<void> | undefined;

  async function attempt<Value>(work: (tx: Tx) => Promise<Value>, sealing: Seal): Promise<Committed<Value>> {
    const client = await pool.connect();
    return transact(client, work, sealing, (isClean) => client.release(!isClean));
  }

  return {
    query: (wanted, values) => withRetries(() => run(pool, wanted, values)),
    async withTx(work, sealing = seal) {
      const { value, recorded } = await withRetries(() => attempt(work, sealing));
      if (recorded.length > 0) for (const listener of committedListeners) listener(recorded);
      return value;
    },
    onCommitted: (listener) => void committedListeners.push(listener),
    onConnected: (listener) => void pool.on('connect', listener),
    close: () => (closing ??= pool.end()),
  };
}

async function withRetries<Value>(run: () => Promise<Value>): Promise<Value> {
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await run();
    } catch (error) {
      const isStale = isStaleStatement(error);
      if (!isStale && !isRace(error)) throw error;
      if (attempts >= (isStale ? STALE_ATTEMPTS_MAX : TX_ATTEMPTS_MAX)) throw error;
      if (!isStale) await wait(Math.random() * RACE_PAUSE_MILLISECONDS * attempts);
    }
  }
}

/** The seal of a database object without a log. */
async function noEvents(_query: Query, events: readonly Said[]): Promise<readonly RecordedEvent[]> {
  if (events.length > 0) throw new Error('This database object has no event log to append to');
  return [];
}
