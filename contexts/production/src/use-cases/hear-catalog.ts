import type { ProductDefined, SiteDefined } from '@provender/contracts';
import type { Instant } from '@provender/kernel';
import { type Ids, scheduleTimers, type Tx } from '@provender/platform';
import type { KnownSite } from '../domain/known.ts';
import {
  endSchedulesOfProducts,
  lockPlans,
  lockSites,
  saveProducts,
  saveSites,
  scheduleIdsOfSites,
  withdrawProducts,
} from '../store.ts';
import { BAKE, bakeDue } from './bake-due.ts';

/**
 * Takes over what was said of sites. Schedules of a site whose hours have changed first bake what was due by the old
 * hours; then their timers, due now, find the next slot by the new ones.
 */
export async function hearSites(tx: Tx, ids: Ids, said: readonly SiteDefined[], now: Instant): Promise<void> {
  const latest = new Map(said.map((site) => [site.siteId, site]));
  const known = await lockSites(tx, [...latest.keys()]);
  const moved = known.filter((site) => hasOtherHours(site, latest.get(site.id))).map(({ id }) => id);
  if (moved.length > 0) {
    const scheduleIds = await scheduleIdsOfSites(tx, moved);
    await scheduleTimers(tx, BAKE, scheduleIds, now);
    await bakeDue(tx, ids, await lockPlans(tx, scheduleIds), now);
  }
  await saveSites(tx, [...latest.values()]);
}

function hasOtherHours(known: KnownSite, said: SiteDefined | undefined): boolean {
  if (said === undefined) return false;
  return known.timeZone !== said.timeZone || known.opensAt !== said.opensAt || known.closesAt !== said.closesAt;
}

/** Takes over what was said of products. */
export async function hearProducts(tx: Tx, said: readonly ProductDefined[]): Promise<void> {
  const latest = new Map(said.map((product) => [product.productId, product]));
  await saveProducts(tx, [...latest.values()]);
}

/** Nothing more is baked of withdrawn products: their schedules end. */
export async function hearWithdrawals(tx: Tx, productIds: readonly string[], now: Instant): Promise<void> {
  await withdrawProducts(tx, productIds);
  await endSchedulesOfProducts(tx, productIds, now);
}
