import type { ContextName, RecordedEvent } from '@provender/contracts';
import { type Database, type Query, statement, type Tx } from './database.ts';
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
   FROM unnest($1::uuid[], $3::text[], $4::bigint[], $5::text[], $6::text[]) AS parked (id, source, position, subject, event)
   ON CONFLICT (source, partition, position) DO NOTHING`,
);
const BLOCKED = statement('blocked-subjects', 'SELECT DISTINCT source, subject FROM parked_events');
const LIST = statement(
  'list-parked',
  `SELECT id, source, partition, position, subject, event, error, attempts, parked_at AS "parkedAt"
   FROM parked_events ORDER BY parked_at DESC, position DESC LIMIT ${PARKED_LIST_MAX}`,
);
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

/**
 * Runs a parked event again, and then those of its subject that wait behind it, in order, in one transaction under the
 * lock of the consumer's cursor, whose epoch rises so that the consumer learns of it. Gives how many were handled;
 * undefined where there is no such event; throws what the reaction throws, after noting it.
 */
export async function retryParked(db: Database, reactions: Reactions, id: string): Promise<number | undefined> {
  try {
    return await release(db, id, async (tx, waiting) => {
      await runReactions(
        reactions,
        waiting.map((row) => row.event),
        tx,
      );
      return waiting.map((row) => row.id);
    });
  } catch (error) {
    await db.withTx((tx) => tx.query(NOTE_FAILURE, [id, describe(error)]));
    throw error;
  }
}

/** Gives a parked event up for good. Those behind it run, in order. Undefined where there is no such event. */
export async function dropParked(db: Database, reactions: Reactions, id: string): Promise<number | undefined> {
  return release(db, id, async (tx, waiting) => {
    const others = waiting.filter((row) => row.id !== id);
    await runReactions(
      reactions,
      others.map((row) => row.event),
      tx,
    );
    return waiting.map((row) => row.id);
  });
}

type Waiting = { readonly id: string; readonly event: RecordedEvent };

async function release(
  db: Database,
  id: string,
  work: (tx: Tx, waiting: readonly Waiting[]) => Promise<readonly string[]>,
): Promise<number | undefined> {
  return db.withTx(async (tx) => {
    const locked = await tx.query(LOCK, [id]);
    if (locked.length === 0) return undefined;
    const done = await work(tx, await tx.query<Waiting>(OF_SUBJECT, [id]));
    await tx.query(REMOVE, [done]);
    return done.length;
  });
}

function describe(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  // A text column takes no NUL, and what cannot be parked would stop everything.
  return text.replaceAll('\0', '').slice(0, ERROR_LENGTH_MAX);
}
