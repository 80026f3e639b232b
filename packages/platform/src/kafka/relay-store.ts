import type { ContextName } from '@provender/contracts';
import { formatInstant, type Instant } from '@provender/kernel';
import pg from 'pg';
import { type Database, type Query, statement } from '../database.ts';
import type { CarriedEvent } from './envelope.ts';

/** A relay that is not renewed for so long has lost its place to another process of the context. */
export const LEASE_MILLISECONDS = 3_000;

/** The right to carry a log, until it is not renewed in time. */
export type Lease = { readonly epoch: number; readonly position: number };

/** The end of one partition of the topic, as the relay has left it. */
export type PartitionEnd = {
  readonly partition: number;
  readonly position: number;
  readonly begins: boolean;
  readonly nextOffset: number;
};

const TAKE = statement(
  'take-relay',
  `UPDATE relay SET owner = $1, epoch = epoch + 1, lease_until = clock_timestamp() + $2 * interval '1 millisecond'
   WHERE lease_until < clock_timestamp() OR owner = $1 RETURNING epoch, position`,
);
// An owner of an earlier epoch changes nothing: it has been paused, and another one carries the log now.
const KEEP = statement(
  'keep-relay',
  `WITH kept AS (
     UPDATE relay SET position = $2, lease_until = clock_timestamp() + $3 * interval '1 millisecond'
     WHERE epoch = $1 RETURNING epoch
   ), ends AS (
     INSERT INTO relay_partitions (partition, position, begins, next_offset)
     SELECT partition, position, begins, next_offset
     FROM unnest($4::integer[], $5::bigint[], $6::boolean[], $7::bigint[])
       AS carried (partition, position, begins, next_offset), kept
     ON CONFLICT (partition) DO UPDATE SET position = excluded.position, begins = excluded.begins,
       next_offset = excluded.next_offset
   )
   SELECT count(*) AS kept FROM kept`,
);
const GIVE = statement('give-relay', "UPDATE relay SET lease_until = '-infinity', owner = '' WHERE epoch = $1");
const ENDS = statement(
  'relay-ends',
  'SELECT partition, position, begins, next_offset AS "nextOffset" FROM relay_partitions ORDER BY partition',
);
const POSITION = statement('relay-position', 'SELECT position FROM relay');
const READ = statement(
  'read-to-carry',
  `SELECT position, id, type, key, subject, time, traceparent, data::text AS data
   FROM outbox WHERE position > $1 ORDER BY position LIMIT $2`,
);
const READ_KEYS_BACK = statement(
  'read-keys-back',
  'SELECT position, key FROM outbox WHERE position <= $1 ORDER BY position DESC LIMIT $2',
);

export type RelayStore = {
  /** Gives the lease where nobody else has it. */
  take(owner: string): Promise<Lease | undefined>;
  /** Renews the lease and notes how far it has come; false where another process has it now. */
  keep(epoch: number, position: number, ends: readonly PartitionEnd[]): Promise<boolean>;
  /** Gives the lease back, for another to take at once. */
  give(epoch: number): Promise<void>;
  read(after: number, eventsMax: number): Promise<CarriedEvent[]>;
  /** Keys of the log from there backwards. */
  keysBack(from: number, eventsMax: number): Promise<{ readonly position: number; readonly key: string }[]>;
  ends(): Promise<PartitionEnd[]>;
};

type Row = Omit<CarriedEvent, 'source' | 'time' | 'traceparent'> & { time: Instant; traceparent: string | null };

export function openRelayStore(context: ContextName, db: Database): RelayStore {
  return {
    async take(owner) {
      const [lease] = await db.withTx((tx) => tx.query<Lease>(TAKE, [owner, LEASE_MILLISECONDS]));
      return lease;
    },
    async keep(epoch, position, ends) {
      const values = [
        ends.map((end) => end.partition),
        ends.map((end) => end.position),
        ends.map((end) => end.begins),
        ends.map((end) => end.nextOffset),
      ];
      const [row] = await db.withTx((tx) =>
        tx.query<{ kept: number }>(KEEP, [epoch, position, LEASE_MILLISECONDS, ...values]),
      );
      return row?.kept === 1;
    },
    give: async (epoch) => void (await db.withTx((tx) => tx.query(GIVE, [epoch]))),
    async read(after, eventsMax) {
      const rows = await db.query<Row>(READ, [after, eventsMax]);
      return rows.map(({ time, traceparent, ...row }) => ({
        ...row,
        source: context,
        time: formatInstant(time),
        ...(traceparent === null ? {} : { traceparent }),
      }));
    },
    keysBack: (from, eventsMax) => db.query(READ_KEYS_BACK, [from, eventsMax]),
    ends: () => db.query<PartitionEnd>(ENDS),
  };
}

/** How far the log behind this connection has been carried, and where each partition of its topic ended then. */
export async function relayedEnds(
  query: Query,
): Promise<{ readonly position: number; readonly ends: readonly PartitionEnd[] }> {
  // The position first: what it covers is in the ends that are read after it.
  const [row] = await query.query<{ position: number }>(POSITION);
  return { position: row?.position ?? 0, ends: await query.query<PartitionEnd>(ENDS) };
}

export type Republishing = {
  /** The first position that is carried again. */
  readonly from: number;
  /** The last of the log as it is now. */
  readonly head: number;
};

/**
 * Sets a relay back, as the owner of the schemas, so that it carries the log again from a position, or from the first
 * event that is still there. Consumers pass over what they have had. Whoever carries it now finds its lease gone.
 */
export async function setRelayBack(ownerUrl: string, context: ContextName, from: number): Promise<Republishing> {
  const client = new pg.Client({ connectionString: ownerUrl, application_name: 'provender republish' });
  await client.connect();
  try {
    await client.query('BEGIN');
    await client.query(`SELECT FROM ${context}.relay FOR UPDATE`);
    const { rows } = await client.query<{ lowest: string; head: string }>(
      `SELECT coalesce(min(position), 1) AS lowest, (SELECT position FROM ${context}.outbox_head) AS head
       FROM ${context}.outbox`,
    );
    const head = Number(rows[0]?.head ?? 0);
    const first = Math.min(Math.max(from, Number(rows[0]?.lowest ?? 1)), head + 1);
    await client.query(
      `UPDATE ${context}.relay SET position = $1, owner = '', epoch = epoch + 1, lease_until = '-infinity'`,
      [first - 1],
    );
    // The links of the chain are found anew, by reading the log back from there.
    await client.query(`DELETE FROM ${context}.relay_partitions`);
    await client.query('COMMIT');
    return { from: first, head };
  } finally {
    await client.end();
  }
}
