import type { SiteHours, SiteKind, StockKind } from '@provender/contracts';
import type { Money } from '@provender/kernel';

/** What production knows of a site, from the catalog's events. */
export type KnownSite = SiteHours & { readonly id: string; readonly kind: SiteKind };

/** What production knows of a product, from the catalog's events. */
export type KnownProduct = {
  readonly id: string;
  readonly stock: StockKind;
  /** null: does not go stale. */
  readonly shelfLifeMinutes: number | null;
  readonly keepsOvernight: boolean;
  readonly unitCost: Money;
  readonly withdrawn: boolean;
};
