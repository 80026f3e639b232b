import { setTimeout as wait } from 'node:timers/promises';
import type { ContextName } from '@provender/contracts';
import pg from 'pg';
import type { Shape } from './shapes.ts';
import type { Stage, StageReached } from './stages.ts';

type StageEvent = { readonly context: ContextName; readonly type: string; readonly stage: Stage };

const STAGE_EVENTS: readonly StageEvent[] = [
  { context: 'orders', type: 'orders.order-placed.v1', stage: 'placed' },
  { context: 'inventory', type: 'inventory.units-held.v1', stage: 'held' },
  { context: 'orders', type: 'orders.payment-requested.v1', stage: 'payment requested' },
  { context: 'bank', type: 'bank.payment-captured.v1', stage: 'captured' },
  { context: 'orders', type: 'orders.order-paid.v1', stage: 'paid' },
];
const CONTEXTS = ['orders', 'inventory', 'bank'] as const;
const DECIDED_MILLISECONDS_MAX = 30_000;
const LOOK_MILLISECONDS = 100;

/** Where the logs of the purchase end now. */
export type LogEnds = Readonly<Record<(typeof CONTEXTS)[number], number>>;

export async function logEnds(shape: Shape): Promise<LogEnds> {
  const [orders = 0, inventory = 0, bank = 0] = await Promise.all(
    CONTEXTS.map((context) =>
      ask(shape, context, async (client) => {
        const { rows } = await client.query<{ position: string }>(`SELECT position FROM ${context}.outbox_head`);
        return Number(rows[0]?.position ?? 0);
      }),
    ),
  );
  return { orders, inventory, bank };
}

/**
 * When each order since then reached each stage, by the times in the logs. All processes share this machine's clock.
 */
export async function stagesSince(shape: Shape, ends: LogEnds): Promise<StageReached[]> {
  const all = await Promise.all(
    CONTEXTS.map((context) =>
      ask(shape, context, async (client) => {
        const own = STAGE_EVENTS.filter((event) => event.context === context);
        const { rows } = await client.query<{ orderId: string; type: string; at: number }>(
          `SELECT subject AS "orderId", type, (extract(epoch FROM time) * 1000)::float8 AS at
           FROM ${context}.outbox WHERE position > $1 AND type = ANY($2)`,
          [ends[context], own.map(({ type }) => type)],
        );
        return rows.map(({ orderId, type, at }) => ({
          orderId,
          at,
          stage: own.find((event) => event.type === type)?.stage ?? 'placed',
        }));
      }),
    ),
  );
  return all.flat();
}

/**
 * Resolves once every order that was placed since then is paid or rejected, so that one run leaves nothing to the next.
 */
export async function untilDecided(shape: Shape, ends: LogEnds): Promise<void> {
  await ask(shape, 'orders', async (client) => {
    const giveUpAt = performance.now() + DECIDED_MILLISECONDS_MAX;
    while (performance.now() < giveUpAt) {
      const { rows } = await client.query<{ open: number }>(
        `SELECT (count(*) FILTER (WHERE type = 'orders.order-placed.v1') - count(*) FILTER (WHERE type
           IN ('orders.order-paid.v1', 'orders.order-rejected.v1')))::integer AS open
         FROM orders.outbox WHERE position > $1`,
        [ends.orders],
      );
      if (rows[0]?.open === 0) return;
      await wait(LOOK_MILLISECONDS);
    }
    throw new Error('Orders are still open long after the run');
  });
}

async function ask<T>(shape: Shape, context: ContextName, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: shape.databaseUrl(context) });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
