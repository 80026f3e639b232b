import { setTimeout as wait } from 'node:timers/promises';
import type { RecordedEvent, Said } from '@provender/contracts';
import { instant } from '@provender/kernel';
import pg from 'pg';

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

export type TxOptions = {
  /** Runs as the very last statement, the append, in the same round trip as the commit. Written by the event log. */
  readonly seal?: (query: Query, events: readonly Said[]) => Promise<readonly RecordedEvent[]>;
};

export type Database = Query & {
  /**
   * Runs `work` in one transaction and commits. Anything thrown rolls back. Serialisation failures and deadlocks run
   * the whole function again (3 times at most), so it must have no effect outside. Nothing but queries is awaited in it.
   */
  withTx<Value>(work: (tx: Tx) => Promise<Value>, options?: TxOptions): Promise<Value>;
  /** Told of the events of every transaction of this database object, once it has committed. */
  onCommitted(listener: (events: readonly RecordedEvent[]) => void): void;
  /** Told that a connection broke in mid-transaction: whatever was believed committed may be lost. */
  onBroken(listener: () => void): void;
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
  readonly seal?: TxOptions['seal'];
  readonly statementTimeoutMilliseconds?: number;
};

const TX_ATTEMPTS_MAX = 3;
const CONNECT_TIMEOUT_MILLISECONDS = 5_000;
const STATEMENT_TIMEOUT_MILLISECONDS = 30_000;
const LOCK_TIMEOUT_MILLISECONDS = 10_000;
const IDLE_TX_TIMEOUT_MILLISECONDS = 30_000;

const INT8 = 20;
const TIMESTAMPTZ = 1184;

const types = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (oid === INT8) return parseInt8;
    if (oid === TIMESTAMPTZ) return parseTimestamp;
    return pg.types.getTypeParser(oid, format as 'text');
  },
};

function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error('An int8 from the database is beyond 2^53');
  return value;
}

function parseTimestamp(text: string): number {
  return instant(Math.floor(Date.parse(text.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00'))));
}

/** SQLSTATE of a database error, or the code of a network error. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Lost in a race; running the whole transaction again is right. */
export function isRace(error: unknown): boolean {
  const code = errorCode(error);
  return code === '40001' || code === '40P01';
}

const UNAVAILABLE_CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOENT', '57014', '55P03']);

/** The database is away, full, or too slow: nothing is wrong with the request, it may be sent again later. */
export function isUnavailable(error: unknown): boolean {
  const code = errorCode(error);
  if (code !== undefined) {
    return /^(08|53|57P|58)/.test(code) || UNAVAILABLE_CODES.has(code) || code === '25006';
  }
  const message = error instanceof Error ? error.message : '';
  return /Connection terminated|timeout exceeded when trying to connect|Client was closed|not queryable|Query read timeout/.test(
    message,
  );
}

function poolOf(options: DatabaseOptions): pg.Pool {
  const settings = [
    options.role === undefined ? '' : `-c role=${options.role}`,
    options.schema === undefined ? '' : `-c search_path=${options.schema}`,
    `-c statement_timeout=${options.statementTimeoutMilliseconds ?? STATEMENT_TIMEOUT_MILLISECONDS}`,
    `-c lock_timeout=${LOCK_TIMEOUT_MILLISECONDS}`,
    `-c idle_in_transaction_session_timeout=${IDLE_TX_TIMEOUT_MILLISECONDS}`,
    `-c synchronous_commit=${options.synchronousCommit ?? 'on'}`,
    '-c jit=off -c timezone=UTC',
  ];
  const pool = new pg.Pool({
    connectionString: options.url,
    application_name: options.applicationName,
    options: settings.join(' '),
    max: options.connectionsMax,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MILLISECONDS,
    idleTimeoutMillis: 0,
    keepAlive: true,
    types,
    pipeline: true,
  } as pg.PoolConfig);
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => {});
  return pool;
}

async function run<Row>(client: pg.Pool | pg.PoolClient, { name, text }: Statement, values?: readonly unknown[]) {
  const result = await client.query({ name, text, values: values as unknown[] });
  return result.rows as Row[];
}

const BEGIN: Statement = { name: 'begin', text: 'BEGIN' };
const COMMIT: Statement = { name: 'commit', text: 'COMMIT' };

/** Waits for everything that is on its way and throws the first failure, so that no rejection is left unheard. */
async function all<Values extends readonly unknown[]>(promises: {
  readonly [Index in keyof Values]: Promise<Values[Index]>;
}): Promise<Values> {
  const outcomes = await Promise.allSettled(promises);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  return outcomes.map((outcome) => (outcome as PromiseFulfilledResult<unknown>).value) as unknown as Values;
}

/**
 * Opens a pool of pipelined connections that act as one role in one schema.
 * Statements sent without waiting for each other share a round trip; an error rolls the whole transaction back.
 */
export function openDatabase(options: DatabaseOptions): Database {
  const pool = poolOf(options);
  const committedListeners: ((events: readonly RecordedEvent[]) => void)[] = [];
  const brokenListeners: (() => void)[] = [];

  async function attempt<Value>(work: (tx: Tx) => Promise<Value>, seal: TxOptions['seal']) {
    const client = await pool.connect();
    const said: Said[] = [];
    const tx: Tx = {
      query: (wanted, values) => run(client, wanted, values),
      append: (events) => {
        said.push(...events);
      },
    };
    try {
      const begun = run(client, BEGIN);
      const worked = work(tx);
      const [, value] = await all<[unknown, Value]>([begun, worked]);
      const sealed = seal === undefined ? noEvents(said) : seal(tx, said);
      const [recorded] = await all<[readonly RecordedEvent[], unknown]>([sealed, run(client, COMMIT)]);
      client.release();
      return { value, recorded };
    } catch (error) {
      client.release(true);
      if (isUnavailable(error)) for (const listener of brokenListeners) listener();
      throw error;
    }
  }

  return {
    query: (wanted, values) => run(pool, wanted, values),
    async withTx(work, txOptions) {
      for (let attempts = 1; ; attempts += 1) {
        try {
          const { value, recorded } = await attempt(work, txOptions?.seal ?? options.seal);
          if (recorded.length > 0) for (const listener of committedListeners) listener(recorded);
          return value;
        } catch (error) {
          if (!isRace(error) || attempts >= TX_ATTEMPTS_MAX) throw error;
          await wait(Math.random() * 20 * attempts);
        }
      }
    },
    onCommitted: (listener) => void committedListeners.push(listener),
    onBroken: (listener) => void brokenListeners.push(listener),
    close: () => pool.end(),
  };
}

async function noEvents(events: readonly Said[]): Promise<readonly RecordedEvent[]> {
  if (events.length > 0) throw new Error('This database object has no event log to append to');
  return [];
}
