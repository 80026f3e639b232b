import { defineProduct, defineSite } from '@provender/catalog';
import { type ContextName, isOpen, NOTICE_KINDS } from '@provender/contracts';
import { receiveGoods } from '@provender/inventory';
import type { Refusal, Result } from '@provender/kernel';
import { askForFeed, importPartnerOrders } from '@provender/orders';
import type { Database, Tx } from '@provender/platform';
import { bakeBatch, defineSchedule } from '@provender/production';
import type { System } from '../system.ts';
import {
  customer,
  customerMoney,
  DEMO_PASSWORD,
  firstBatches,
  firstReceipts,
  people,
  products,
  receivedProducts,
  schedules,
  sites,
} from './town.ts';

/** What one context does for the demo, all of it or nothing. Twice is as once. */
export type DemoStep = {
  readonly context: ContextName;
  /** Gives why it was refused: what it builds on may not have come to this context yet. */
  take(system: System, feedUrl: string | undefined): Promise<string | undefined>;
};

/** In the order in which they build on each other; each runs where its context does, and waits for what it needs. */
export const demoSteps: readonly DemoStep[] = [
  {
    context: 'identity',
    async take({ identity }) {
      await identity?.addPeople(people, DEMO_PASSWORD);
      return undefined;
    },
  },
  {
    context: 'catalog',
    take: (system) =>
      inOne(system, 'catalog', async (tx) => {
        for (const { id, draft } of sites) accepted(await defineSite(tx, id, draft));
        for (const { id, variationIds, draft } of [...products, ...receivedProducts]) {
          accepted(await defineProduct(tx, { productId: id, variationIds }, draft));
        }
      }),
  },
  {
    // A first batch of everything where the doors are open; schedules go on from there.
    context: 'production',
    take: (system) =>
      inOne(system, 'production', async (tx) => {
        const now = system.clock.now();
        const open = sites.filter(({ draft }) => isOpen(draft, now)).map(({ id }) => id);
        for (const { id, draft } of schedules) accepted(await defineSchedule(tx, id, draft, now));
        for (const { id, draft } of firstBatches) {
          if (open.includes(draft.siteId)) accepted(await bakeBatch(tx, id, draft, now));
        }
      }),
  },
  {
    // Bought-in goods come to every site.
    context: 'inventory',
    take: (system) =>
      inOne(system, 'inventory', async (tx) => {
        const now = system.clock.now();
        for (const { id, draft } of firstReceipts) accepted(await receiveGoods(tx, system.ids, id, draft, now));
      }),
  },
  {
    // Partner orders to process, from the demo's own feed; somebody's own is theirs to import.
    context: 'orders',
    async take(system, feedUrl) {
      if (feedUrl === undefined) return undefined;
      const feed = await askForFeed(feedUrl);
      return inOne(system, 'orders', async (tx) =>
        accepted(await importPartnerOrders(tx, system.ids, feed, system.clock.now())),
      );
    },
  },
  {
    // Everybody here wants to hear of everything, so that there is mail to look at.
    context: 'notifications',
    async take({ notifications }) {
      for (const { id } of people) await notifications?.choose(id, { email: everyKind });
      return undefined;
    },
  },
  {
    context: 'bank',
    async take({ bank }) {
      const outcome = await bank?.depositFirst(customer.id, customerMoney);
      return outcome?.ok === false ? outcome.refusal.kind : undefined;
    },
  },
];

const everyKind = Object.fromEntries(NOTICE_KINDS.map((kind) => [kind, true]));

/** One transaction of a context; what it was refused undoes it all. */
async function inOne(
  system: System,
  context: ContextName,
  work: (tx: Tx) => Promise<void>,
): Promise<string | undefined> {
  try {
    await databaseOf(system, context).withTx(work);
    return undefined;
  } catch (error) {
    if (error instanceof DemoRefused) return error.message;
    throw error;
  }
}

class DemoRefused extends Error {}

function accepted(outcome: Result<unknown, Refusal>): void {
  if (!outcome.ok) throw new DemoRefused(JSON.stringify(outcome.refusal));
}

function databaseOf(system: System, context: ContextName): Database {
  const running = system.contexts.get(context);
  if (running === undefined) throw new Error(`The context ${context} does not run here`);
  return running.db;
}
