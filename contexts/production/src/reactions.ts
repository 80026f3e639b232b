import type { Clock, Ids, Reactions } from '@provender/platform';
import { hearProducts, hearSites, hearWithdrawals } from './use-cases/hear-catalog.ts';

/** Keeps production's own copies of sites and products. */
export function reactions(clock: Clock, ids: Ids): Reactions {
  return {
    'catalog.site-defined.v1': async (events, tx) => {
      const sites = events.map(({ data }) => data);
      await hearSites(tx, ids, sites, clock.now());
    },
    'catalog.product-defined.v1': async (events, tx) => {
      const products = events.map(({ data }) => data);
      await hearProducts(tx, products);
    },
    'catalog.product-withdrawn.v1': async (events, tx) => {
      const productIds = events.map(({ data }) => data.productId);
      await hearWithdrawals(tx, productIds, clock.now());
    },
  };
}
