import type { LiveMessage } from '@provender/contracts';
import { formatInstant, type Instant } from '@provender/kernel';
import { type Query, statement } from '@provender/platform';

/** For those who come back: ten minutes of the busiest hour, or many quiet days. */
const SETS_KEPT = 10_000;
const SAY = statement(
  'say-live',
  // The head is held until the commit, so that numbers are gapless and a reader who has seen one has seen all before.
  `WITH head AS (
     UPDATE live_head SET number = number + 1 RETURNING number
   ), forgotten AS (
     DELETE FROM live_sets WHERE number = (SELECT number FROM head) - ${SETS_KEPT}
   )
   INSERT INTO live_sets (number, said_at, messages) SELECT number, $1, $2::json FROM head`,
);
const SETS_MAX = 200;
const SETS = statement(
  'live-sets',
  `SELECT number, messages FROM live_sets WHERE number > $1 ORDER BY number LIMIT ${SETS_MAX}`,
);
const BOUNDS = statement(
  'live-bounds',
  'SELECT (SELECT number FROM live_head) AS head, (SELECT min(number) FROM live_sets) AS first',
);

export type LiveSet = { readonly number: number; readonly messages: readonly LiveMessage[] };

/** Writes down what is said live, in one set. */
export async function sayLive(tx: Query, messages: readonly LiveMessage[], at: Instant): Promise<void> {
  if (messages.length > 0) await tx.query(SAY, [formatInstant(at), JSON.stringify(messages)]);
}

/** The sets after a number, in order; not all of them where there are many. */
export function liveSetsAfter(query: Query, number: number): Promise<LiveSet[]> {
  return query.query<LiveSet>(SETS, [number]);
}

/** The number of the last set, and of the oldest that is still there. */
export async function liveBounds(query: Query): Promise<{ readonly head: number; readonly first: number }> {
  const [row] = await query.query<{ head: number; first: number | null }>(BOUNDS);
  const head = row?.head ?? 0;
  return { head, first: row?.first ?? head + 1 };
}
