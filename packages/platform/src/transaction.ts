import type { Socket } from 'node:net';
import type { RecordedEvent, Said } from '@provender/contracts';
import pg from 'pg';
import { errorCode, isStaleStatement } from './database-errors.ts';
import type { Query, Statement, Tx } from './database.ts';

/** Writes what was said, as the very last statement. It sends that statement before it awaits anything. */
export type Seal = (query: Query, events: readonly Said[]) => Promise<readonly RecordedEvent[]>;

export type Committed<Value> = { readonly value: Value; readonly recorded: readonly RecordedEvent[] };

// Outside of a transaction a session may only read (see `poolOf`): after a lost BEGIN nothing is written.
const BEGIN: Statement = { name: 'platform-begin', text: 'BEGIN READ WRITE' };
const COMMIT: Statement = { name: 'platform-commit', text: 'COMMIT' };
const ROLLBACK: Statement = { name: 'platform-rollback', text: 'ROLLBACK' };
const CANNOT_CONNECT_NOW_CODE = '57P03';
const IN_FAILED_TRANSACTION_CODE = '25P02';

/** The server would not begin a transaction, for whatever reason: nothing is wrong with the work. */
export class NotBegun extends Error {
  readonly code = CANNOT_CONNECT_NOW_CODE;
}

type Failure = { readonly error: unknown };

/** What has been sent on the connection of one transaction, and how it went. */
type Sending = {
  send(statement: Statement, values?: readonly unknown[]): Promise<pg.QueryResult>;
  underWay(): number;
  sent(): number;
  /** The first query that failed: from there on the server refuses everything but a rollback. */
  failure(): Failure | undefined;
};

/**
 * Holds back what is written on a connection until this turn of the event loop has sent all it has, so that BEGIN and
 * the first query, or append and COMMIT, leave in one system call; those are the dearest thing that a purchase does.
 */
function gatheredWrites(client: pg.PoolClient): () => void {
  // The driver's types do not show its socket; without one, every query is written by itself as before.
  const { stream } = (client as unknown as { connection: { stream?: Pick<Socket, 'cork' | 'uncork'> } }).connection;
  let isGathering = false;
  return () => {
    if (isGathering || stream === undefined) return;
    isGathering = true;
    stream.cork();
    process.nextTick(() => {
      isGathering = false;
      stream.uncork();
    });
  };
}

function sendingOn(client: pg.PoolClient): Sending {
  const gather = gatheredWrites(client);
  let underWay = 0;
  let sent = 0;
  let failure: Failure | undefined;
  return {
    send({ name, text }, values) {
      gather();
      underWay += 1;
      sent += 1;
      const answer = client.query({ name, text, values: values as unknown[] });
      // Heard in any case, so that a failure that nobody waits for is no unhandled rejection; the commit finds it.
      answer.then(
        () => {
          underWay -= 1;
        },
        (error: unknown) => {
          underWay -= 1;
          failure ??= { error };
        },
      );
      return answer;
    },
    underWay: () => underWay,
    sent: () => sent,
    failure: () => failure,
  };
}

/**
 * Runs `work` on a connection between BEGIN and COMMIT. BEGIN goes out with the work's first query, the seal with the
 * COMMIT. Gives the connection back once the server has said COMMIT or ROLLBACK; otherwise `give` is to destroy it.
 */
export async function transact<Value>(
  client: pg.PoolClient,
  work: (tx: Tx) => Promise<Value>,
  seal: Seal,
  give: (isClean: boolean) => void,
): Promise<Committed<Value>> {
  const sending = sendingOn(client);
  let isClean = false;
  try {
    const committed = await runTransaction(sending, work, seal);
    isClean = true;
    return committed;
  } catch (error) {
    isClean = await rolledBack(sending);
    throw error;
  } finally {
    give(isClean);
  }
}

async function runTransaction<Value>(
  sending: Sending,
  work: (tx: Tx) => Promise<Value>,
  seal: Seal,
): Promise<Committed<Value>> {
  const said: Said[] = [];
  let isOver = false;
  const tx: Tx = {
    query<Row>(wanted: Statement, values?: readonly unknown[]) {
      if (isOver) return Promise.reject(new Error(`The transaction is over: ${wanted.name} comes too late`));
      const rows = sending.send(wanted, values).then((result) => result.rows as Row[]);
      rows.catch(() => {});
      return rows;
    },
    append(events) {
      if (isOver) throw new Error('The transaction is over: an event comes too late');
      for (const event of events) said.push(event);
    },
  };
  const began = sending.send(BEGIN);
  try {
    const value = await workedOn(work, tx, began).catch((error: unknown) => {
      // It is only the echo of the query that failed before.
      if (errorCode(error) === IN_FAILED_TRANSACTION_CODE) throwFailure(sending);
      throw error;
    });
    throwFailure(sending);
    const sentBefore = sending.sent();
    const sealing = seal(tx, said);
    // Where the seal had nothing to send, or could not, it has its say before anything is committed.
    if (sending.sent() === sentBefore) await sealing;
    isOver = true;
    const [sealed, ended] = await Promise.allSettled([sealing, sending.send(COMMIT)]);
    if (sealed.status === 'rejected') {
      // What was written with it may have failed first; of that it is only the echo.
      throwFailure(sending);
      throw sealed.reason;
    }
    if (ended.status === 'rejected') throw ended.reason;
    // A transaction in which a query failed answers a COMMIT with ROLLBACK, and not with an error.
    if (ended.value.command !== 'COMMIT') {
      throwFailure(sending);
      throw new Error('PostgreSQL rolled the transaction back');
    }
    return { value, recorded: sealed.value };
  } finally {
    isOver = true;
  }
}

async function workedOn<Value>(work: (tx: Tx) => Promise<Value>, tx: Tx, began: Promise<unknown>): Promise<Value> {
  const [begun, worked] = await Promise.allSettled([began, (async () => work(tx))()]);
  if (begun.status === 'rejected') throw new NotBegun('The transaction could not begin', { cause: begun.reason });
  if (worked.status === 'fulfilled') return worked.value;
  throw worked.reason;
}

/** A failure that `work` did not wait for, or would not see, fails the transaction all the same. */
function throwFailure(sending: Sending): void {
  const failure = sending.failure();
  if (failure !== undefined) throw failure.error;
}

/**
 * Rolls back, and says whether the server has confirmed it with nothing else under way: only then may the connection be
 * used again. After a query that the server refused everything behind it fails at once; one that still runs is not
 * waited for. A failure on our own side, such as a value that cannot be written, leaves the driver's memory
 * of statements wrong.
 */
async function rolledBack(sending: Sending): Promise<boolean> {
  const failure = sending.failure();
  if (failure === undefined ? sending.underWay() > 0 : !leavesClean(failure.error)) return false;
  try {
    const { command } = await sending.send(ROLLBACK);
    return command === 'ROLLBACK' && sending.underWay() === 0;
  } catch {
    return false;
  }
}

function leavesClean(error: unknown): boolean {
  return error instanceof pg.DatabaseError && !isStaleStatement(error);
}
