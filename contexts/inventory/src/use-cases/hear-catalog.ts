import { nextClosing, type ProductDefined, type SiteDefined } from '@provender/contracts';
import { type Instant, plus, SECOND } from '@provender/kernel';
import { cancelTimer, ensureTimer, scheduleTimer, type Tx } from '@provender/platform';
import { nextSweep } from '../domain/shelf.ts';
import { saveProducts, saveSites, withdrawProducts } from '../store/copies.ts';

/** The name of the timer that ends holds; one for all sites. */
export const HOLD_EXPIRY = 'hold-expiry';
/** The name of the timers that take stale goods off the shelves, one a site. */
export const STALE_SWEEP = 'stale-sweep';
/** The name of the timers that end the days of shops, one a site. */
export const CLOSING = 'closing';

/** Sees to it that holds end, from the first start on. */
export async function startHoldExpiry(tx: Tx, now: Instant): Promise<void> {
  await ensureTimer(tx, { name: HOLD_EXPIRY, key: 'all', dueAt: plus(now, SECOND) });
}

/** Keeps what is said of sites, and sets the sweep and the closing of each by its own clock. */
export async function hearSites(tx: Tx, sites: readonly SiteDefined[], now: Instant): Promise<void> {
  const latest = latestOf(sites, ({ siteId }) => siteId);
  await Promise.all([
    saveSites(tx, latest),
    ...latest.map(({ siteId }) => ensureTimer(tx, { name: STALE_SWEEP, key: siteId, dueAt: nextSweep(now) })),
    ...latest.map((site) =>
      site.kind === 'shop'
        ? scheduleTimer(tx, { name: CLOSING, key: site.siteId, dueAt: nextClosing(site, now) })
        : cancelTimer(tx, CLOSING, site.siteId),
    ),
  ]);
}

/** Keeps what is said of products. Units that are there already keep their age and their cost. */
export async function hearProducts(tx: Tx, products: readonly ProductDefined[]): Promise<void> {
  await saveProducts(
    tx,
    latestOf(products, ({ productId }) => productId),
  );
}

/** Withdrawn goods are received no more; what is on the shelf goes by its age. */
export async function hearWithdrawals(tx: Tx, productIds: readonly string[]): Promise<void> {
  await withdrawProducts(tx, productIds);
}

/** Of what is said of the same thing several times in a set, the last. */
function latestOf<Value>(values: readonly Value[], idOf: (value: Value) => string): Value[] {
  return [...new Map(values.map((value) => [idOf(value), value])).values()];
}
