import { type Heard, isAroundTheClock } from '@provender/contracts';
import type { Instant } from '@provender/kernel';
import type { Tx } from '@provender/platform';
import { saveProducts, saveSites, scheduleClosings, withdrawProducts } from '../store.ts';

/** The name of the job that closes a site's day. */
export const CLOSING_JOB = 'closing';

/**
 * Keeps orders' own copy of sites, and sets the clock for their closings. A site around the clock has none. The job
 * looks at once: by its new hours a site may have closed already, and a closing that is due must not be put off. It
 * ends only what was placed before the last closing, and finds the next by itself.
 */
export async function keepSites(
  events: readonly Heard<'catalog.site-defined.v1'>[],
  tx: Tx,
  now: Instant,
): Promise<void> {
  const sites = [...new Map(events.map(({ data }) => [data.siteId, data])).values()];
  const closings = sites.filter((site) => !isAroundTheClock(site)).map((site) => ({ siteId: site.siteId, dueAt: now }));
  await saveSites(tx, sites);
  if (closings.length > 0) await scheduleClosings(tx, CLOSING_JOB, closings);
}

/** Keeps orders' own price list: what is placed from now on has these names and prices. */
export async function keepProducts(events: readonly Heard<'catalog.product-defined.v1'>[], tx: Tx): Promise<void> {
  await saveProducts(tx, [...new Map(events.map(({ data }) => [data.productId, data])).values()]);
}

export async function dropProducts(events: readonly Heard<'catalog.product-withdrawn.v1'>[], tx: Tx): Promise<void> {
  await withdrawProducts(
    tx,
    events.map((event) => event.data.productId),
  );
}
