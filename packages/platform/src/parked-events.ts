import type { ContextName, RecordedEvent } from '@provender/contracts';
import { type Database, type Query, statement, type Tx } from './database.ts';
import { isUnavailable } from './database-errors.ts';
import { type Reactions, runReactions } from './reactions.ts';

/** Subjects that have a parked event; later events of theirs wait behind it. */
export type ParkedSubjects = ReadonlySet<string>;

export type ParkedEvent = {
  readonly id: string;
  readonly source: ContextName;
  readonly partition: number;
  readonly position: number;
  readonly subject: string;
  readonly event: RecordedEvent;
  readonly error: string | null;
  readonly attempts: number;
  readonly parkedAt: number;
};

const ERROR_LENGTH_MAX = 1_000;
/** How many events of one subject a retry runs in one transaction. */
const RETRY_EVENTS_MAX = 1_000;
const PARKED_LIST_MAX = 1_000;

const PARK = statement(
  'park-events',
  `INSERT INTO parked_events (id, source, partition, position, subject, event, error, attempts)
   SELECT id, source, $2, position, subject, event::json, $7, CASE WHEN $7::text IS NULL THEN 0 ELSE 1 END
   FROM unnest($1::uuid[], $3::text[], $4::bigint[], $5::text[], $6::text[])
     AS parked (id, source, position, subject, event)
   ON CONFLICT (source, partition, position) DO NOTHING`,
);
const BLOCKED = statement('blocked-subjects', 'SELECT DISTINCT source, subject FROM parked_events');
const LIST = statement(
  'list-parked',
  `SELECT id, source, partition, position, subject, event, error, attempts, parked_at AS "parkedAt"
   FROM parked_events ORDER BY parked_at DESC, position DESC LIMIT ${PARKED_LIST_MAX}`,
);
const IS_PARKED = statement('is-parked', 'SELECT 1 AS found FROM parked_events WHERE id = $1');
const LOCK = statement(
  'lock-parked-cursor',
  `UPDATE cursors SET epoch = epoch + 1
   WHERE (source, partition) = (SELECT source, partition FROM parked_events WHERE id = $1) RETURNING epoch`,
);
const OF_SUBJECT = statement(
  'parked-of-subject',
  `SELECT behind.id, behind.event FROM parked_events AS first
   JOIN parked_events AS behind USING (source, partition, subject)
   WHERE first.id = $1 ORDER BY behind.position LIMIT ${RETRY_EVENTS_MAX}`,
);
const REMOVE = statement('remove-parked', 'DELETE FROM parked_events WHERE id = ANY($1::uuid[])');
const NOTE_FAILURE = statement(
  'note-parked-failure',
  'UPDATE parked_events SET attempts = attempts + 1, error = $2 WHERE id = $1',
);

export function subjectKey(source: string, subject: string): string {
  return `${source} ${subject}`;
}

/** Sets events aside in the consumer's own transaction; `error` null says that they only wait behind another one. */
export async function parkEvents(
  tx: Tx,
  partition: number,
  events: readonly RecordedEvent[],
  error: unknown,
): Promise<void> {
  if (events.length === 0) return;
  await tx.query(PARK, [
    events.map((event) => event.id),
    partition,
    events.map((event) => event.source),
    events.map((event) => event.position),
    events.map((event) => event.subject),
    events.map((event) => JSON.stringify(event)),
    error === null ? null : describe(error),
  ]);
}

export async function blockedSubjects(query: Query): Promise<ParkedSubjects> {
  const rows = await query.query<{ source: string; subject: string }>(BLOCKED);
  return new Set(rows.map((row) => subjectKey(row.source, row.subject)));
}

export function listParked(query: Query): Promise<ParkedEvent[]> {
  return query.query<ParkedEvent>(LIST);
}

export async function isParked(query: Query, id: string): Promise<boolean> {
  return (await query.query(IS_PARKED, [id])).length > 0;
}

/** What an operator does with a parked event: handle it again, or give it up for good. */
export type Release = 'retry' | 'drop';

/**
 * Runs a parked event again, and then those of its subject that wait behind it, in order, in one transaction under the
 * lock of the consumer's cursor, whose epoch rises so that the consumer learns of it. Gives how many were handled;
 * undefined where there is no such event; throws what the reaction throws, after noting it.
 */
export async function retryParked(db: Database, reactions: Reactions, id: string): Promise<number | undefined> {
  try {
    return await db.withTx((tx) => releaseParked(tx, reactions, id, 'retry'));
  } catch (error) {
    await db.withTx((tx) => noteParkedFailure(tx, id, error));
    throw error;
  }
}

/**
 * Gives a parked event up for good. Those behind it run, in order; where one of them fails in its turn, they all stay
 * parked. Gives how many are no longer parked; undefined where there is no such event.
 */
export async function dropParked(db: Database, reactions: Reactions, id: string): Promise<number | undefined> {
  try {
    return await db.withTx((tx) => releaseParked(tx, reactions, id, 'drop'));
  } catch (error) {
    if (isUnavailable(error)) throw error;
    return db.withTx((tx) => dropAlone(tx, id, error));
  }
}

type Waiting = { readonly id: string; readonly event: RecordedEvent };

/** Releases an event within a transaction that does something else as well. Gives and throws as the two above. */
export async function releaseParked(
  tx: Tx,
  reactions: Reactions,
  id: string,
  release: Release,
): Promise<number | undefined> {
  const waiting = await lockSubject(tx, id);
  if (waiting.length === 0) return undefined;
  const again = waiting.filter((row) => release === 'retry' || row.id !== id).map((row) => row.event);
  await runReactions(reactions, again, tx);
  await tx.query(REMOVE, [waiting.map((row) => row.id)]);
  return waiting.length;
}

/** Notes why a parked event failed once more. */
export async function noteParkedFailure(tx: Tx, id: string, error: unknown): Promise<void> {
  await tx.query(NOTE_FAILURE, [id, describe(error)]);
}

/** Gives an event up and leaves those behind it parked; the first of them is noted as what stops the others. */
export async function dropAlone(tx: Tx, id: string, error: unknown): Promise<number | undefined> {
  const waiting = await lockSubject(tx, id);
  if (waiting.length === 0) return undefined;
  const next = waiting.find((row) => row.id !== id);
  if (next !== undefined) await noteParkedFailure(tx, next.id, error);
  await tx.query(REMOVE, [[id]]);
  return 1;
}

/** The parked events of the subject of one of them, in order. Whoever comes second finds what the first has left. */
async function lockSubject(tx: Tx, id: string): Promise<Waiting[]> {
  const locked = await tx.query(LOCK, [id]);
  return locked.length === 0 ? [] : tx.query<Waiting>(OF_SUBJECT, [id]);
}

function describe(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  // A text column takes no NUL, and what cannot be parked would stop everything.
  return text.replaceAll('\0', '').slice(0, ERROR_LENGTH_MAX);
}
