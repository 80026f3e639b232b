import { defineProduct, defineSite } from '@provender/catalog';
import { type ContextName, isOpen } from '@provender/contracts';
import { receiveGoods } from '@provender/inventory';
import type { Refusal, Result } from '@provender/kernel';
import type { Database, ServerStore } from '@provender/platform';
import { bakeBatch, defineSchedule } from '@provender/production';
import type { System } from '../system.ts';
import {
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

const PROGRESS = 'demo';
const CONTEXTS: readonly ContextName[] = ['identity', 'catalog', 'production', 'inventory', 'orders', 'bank'];

/**
 * Fills an empty town: sites, products, schedules, people, money, and a first shelf, so that there is something to buy
 * at any hour. Every step has its own id, so that a start that was cut off goes on where it was. A town that somebody
 * else has begun is left alone, and so is one where not all contexts run. Of several processes that start at once, one
 * does it.
 */
export async function loadDemo(system: System, store: ServerStore): Promise<void> {
  if (!CONTEXTS.every((context) => system.contexts.has(context))) return;
  await store.alone(PROGRESS, () => goOn(system, store));
}

async function goOn(system: System, store: ServerStore): Promise<void> {
  const progress = await store.progressOf(PROGRESS);
  const isSomebodysTown = progress === undefined && ((await system.contexts.get('catalog')?.head()) ?? 0) > 0;
  if (progress === 'done' || isSomebodysTown) return;
  await store.noteProgress(PROGRESS, 'begun');
  await defineRange(system);
  const users = (await system.identity?.addPeople(people, DEMO_PASSWORD)) ?? [];
  await system.idle();
  await fillShelves(system);
  const customer = users.find((user) => user.roles.includes('customer'));
  if (customer !== undefined) await accepted(system.bank?.depositFirst(customer.id, customerMoney));
  await system.idle();
  await store.noteProgress(PROGRESS, 'done');
}

async function defineRange(system: System): Promise<void> {
  await databaseOf(system, 'catalog').withTx(async (tx) => {
    for (const { id, draft } of sites) await accepted(defineSite(tx, id, draft));
    for (const { id, variationIds, draft } of [...products, ...receivedProducts]) {
      await accepted(defineProduct(tx, { productId: id, variationIds }, draft));
    }
  });
  await system.idle();
  const now = system.clock.now();
  await databaseOf(system, 'production').withTx(async (tx) => {
    for (const { id, draft } of schedules) await accepted(defineSchedule(tx, id, draft, now));
  });
}

/**
 * A first batch of everything where the doors are open; schedules go on from there. Bought-in goods come to every site.
 */
async function fillShelves(system: System): Promise<void> {
  const now = system.clock.now();
  const open = sites.filter(({ draft }) => isOpen(draft, now)).map(({ id }) => id);
  await databaseOf(system, 'production').withTx(async (tx) => {
    for (const { id, draft } of firstBatches) {
      if (open.includes(draft.siteId)) await accepted(bakeBatch(tx, id, draft, now));
    }
  });
  await databaseOf(system, 'inventory').withTx(async (tx) => {
    for (const { id, draft } of firstReceipts) await accepted(receiveGoods(tx, system.ids, id, draft, now));
  });
}

/** The demo's own drafts are never refused; if one is, the demo is wrong and says where. */
async function accepted(result: Promise<Result<unknown, Refusal>> | undefined): Promise<void> {
  const outcome = await result;
  if (outcome?.ok === false) throw new Error(`The demo town was refused: ${JSON.stringify(outcome.refusal)}`);
}

function databaseOf(system: System, context: ContextName): Database {
  const running = system.contexts.get(context);
  if (running === undefined) throw new Error(`The context ${context} does not run here`);
  return running.db;
}
