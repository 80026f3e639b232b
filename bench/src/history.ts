import { setTimeout as wait } from 'node:timers/promises';
import { CONTEXT_NAMES } from '@provender/contracts';
import pg from 'pg';
import type { BenchTown } from './town.ts';

/**
 * What stands behind a shop that has sold for years: sold units, with their steps, and events in every log of the
 * purchase.
 */
export const HISTORY_UNITS = 1_000_000;
export const HISTORY_EVENTS = 1_000_000;
const CHUNK = 50_000;
const CATCH_UP_MILLISECONDS_MAX = 240_000;
const CATCH_UP_LOOK_MILLISECONDS = 500;
const EVENTS_BEHIND_MAX = 1_000;
const LOGS = ['orders', 'inventory', 'bank'] as const;

/**
 * Half of the units of one product, the rest spread over all. Triggers are off: this is what they would have written.
 */
const SOLD_UNITS = `
  WITH made AS (
    SELECT n, now() - interval '300 days' + n * interval '10 seconds' AS at,
      CASE WHEN n % 2 = 0 THEN $1::uuid ELSE ($2::uuid[])[1 + n % cardinality($2::uuid[])] END AS product_id
    FROM generate_series($4::integer, $5::integer) AS n
  )
  INSERT INTO inventory.units (id, site_id, product_id, batch_id, made_at, stale_at, unit_cost, currency, state,
    state_at, order_id, steps)
  SELECT gen_random_uuid(), $3, product_id, $6, at, at + interval '30 days', 1, 'EUR', 'sold', at, $6,
    ARRAY[ROW('available', at, NULL, NULL)::inventory.unit_step, ROW('held', at, $6, NULL)::inventory.unit_step,
      ROW('allocated', at, $6, NULL)::inventory.unit_step, ROW('sold', at, $6, NULL)::inventory.unit_step]
  FROM made`;

const EVENT_DATA = JSON.stringify({ orderId: '019a0000-0000-7000-8000-000000000000', note: 'x'.repeat(300) });

/** Lays the history down, as the superuser. Consumers step over the events, whose type nobody reacts to. */
export async function layHistory(superuserUrl: string, town: BenchTown, log: (line: string) => void): Promise<void> {
  const client = new pg.Client({ connectionString: superuserUrl });
  await client.connect();
  try {
    await lay(client, town, log);
  } finally {
    await client.end();
  }
}

async function lay(client: pg.Client, town: BenchTown, log: (line: string) => void): Promise<void> {
  await client.query("SET session_replication_role = 'replica'");
  const past = '019a0000-0000-7000-8000-0000000000ff';
  for (let from = 1; from <= HISTORY_UNITS; from += CHUNK) {
    const values = [town.productIds[0], town.productIds, town.siteId, from, from + CHUNK - 1, past];
    await client.query(SOLD_UNITS, values);
  }
  log(`${HISTORY_UNITS} sold units are behind the shelf`);
  await client.query("SET session_replication_role = 'origin'");
  for (const context of LOGS) await layEvents(client, context);
  log(`${HISTORY_EVENTS} events are behind each of ${LOGS.join(', ')}`);
  await untilSteppedOver(client);
  await client.query('VACUUM ANALYZE');
  await client.query('CHECKPOINT');
}

/** Measured is a shop with a past, not one that is catching up with it. Throws where consumers take too long. */
async function untilSteppedOver(client: pg.Client): Promise<void> {
  const giveUpAt = performance.now() + CATCH_UP_MILLISECONDS_MAX;
  while ((await furthestBehind(client)) > EVENTS_BEHIND_MAX) {
    if (performance.now() > giveUpAt) throw new Error('The consumers do not come to the end of the history');
    await wait(CATCH_UP_LOOK_MILLISECONDS);
  }
}

async function furthestBehind(client: pg.Client): Promise<number> {
  const behind = LOGS.flatMap((source) =>
    CONTEXT_NAMES.map(
      (consumer) => `SELECT head.position - cursors.position AS lag FROM ${source}.outbox_head AS head
        JOIN ${consumer}.cursors ON cursors.source = '${source}'`,
    ),
  );
  const { rows } = await client.query<{ lag: string }>(
    `SELECT max(lag) AS lag FROM (${behind.join(' UNION ALL ')}) AS all_of_them`,
  );
  return Number(rows[0]?.lag ?? 0);
}

async function layEvents(client: pg.Client, context: string): Promise<void> {
  await client.query(`SET search_path TO ${context}`);
  for (let done = 0; done < HISTORY_EVENTS; done += CHUNK) {
    await client.query('SELECT outbox_extend()');
    await client.query(
      `SELECT append_events('{}', '{}', '{}', '{}', '{}', now(), array_agg(gen_random_uuid()), array_agg($1::text),
         array_agg('bench'::text), array_agg(n::text), array_agg(NULL::text), array_agg($2::text))
       FROM generate_series(1, ${CHUNK}) AS n`,
      [`${context}.bench-history.v1`, EVENT_DATA],
    );
  }
}
