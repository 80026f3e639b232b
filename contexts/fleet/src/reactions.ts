import type { Clock, Jobs, Reactions } from '@provender/platform';
import { saveProducts, saveSites, withdrawProducts } from './store/copies.ts';
import { CHOICE_TIMER, giveBack } from './use-cases/give-back.ts';

/** Keeps the fleet's own copies of sites and products. The last word on each of a set counts. */
export function reactions(): Reactions {
  return {
    'catalog.site-defined.v1': async (events, tx) => {
      const latest = new Map(events.map(({ data }) => [data.siteId, data]));
      await saveSites(tx, [...latest.values()]);
    },
    'catalog.product-defined.v1': async (events, tx) => {
      const latest = new Map(events.map(({ data }) => [data.productId, data]));
      await saveProducts(tx, [...latest.values()]);
    },
    'catalog.product-withdrawn.v1': async (events, tx) => {
      const productIds = events.map(({ data }) => data.productId);
      await withdrawProducts(tx, productIds);
    },
  };
}

/** What the fleet does when its time has come. */
export function jobs(clock: Clock): Jobs {
  return { [CHOICE_TIMER]: (timer, tx) => giveBack(timer, tx, clock.now()) };
}
