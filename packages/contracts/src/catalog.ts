import { type Static, Type } from 'typebox';
import { CLOSED, Currency, Literals, MoneySchema, Uuid } from './common.ts';

export const SITE_KINDS = ['shop', 'warehouse', 'vending'] as const;
export type SiteKind = (typeof SITE_KINDS)[number];

/**
 * `unit`: kept on the shelf, one row per physical item. `made-to-order`: made when it is ordered, never out of stock.
 */
export const STOCK_KINDS = ['unit', 'made-to-order'] as const;
export type StockKind = (typeof STOCK_KINDS)[number];

/** All that others may know of a site. Said whole each time, so that a copy needs no history. */
export const SiteDefined = Type.Object(
  {
    siteId: Uuid,
    name: Type.String(),
    kind: Literals(SITE_KINDS),
    timeZone: Type.String(),
    opensAt: Type.String({ description: 'Time on the wall, 07:00' }),
    closesAt: Type.String({ description: 'Time on the wall, 18:00 or 24:00' }),
    currency: Currency,
    freeVend: Type.Boolean(),
  },
  CLOSED,
);
export type SiteDefined = Static<typeof SiteDefined>;

/** All that others may know of a product. Said whole each time; a variation that is gone is simply no longer there. */
export const ProductDefined = Type.Object(
  {
    productId: Uuid,
    sku: Type.String(),
    name: Type.String(),
    category: Type.String(),
    price: MoneySchema,
    unitCost: MoneySchema,
    stock: Literals(STOCK_KINDS),
    shelfLifeMinutes: Type.Union([Type.Integer(), Type.Null()], { description: 'null: does not go stale' }),
    keepsOvernight: Type.Boolean(),
    closingDiscountPercent: Type.Integer({ minimum: 0, maximum: 100 }),
    variations: Type.Array(Type.Object({ variationId: Uuid, name: Type.String(), priceDelta: MoneySchema }, CLOSED)),
  },
  CLOSED,
);
export type ProductDefined = Static<typeof ProductDefined>;

/** Taken out of the range for good: no longer sold, whole in everything that is history. */
export const ProductWithdrawn = Type.Object({ productId: Uuid }, CLOSED);
export type ProductWithdrawn = Static<typeof ProductWithdrawn>;

/** Key and subject: the site, or the product. */
export const catalogEvents = {
  'catalog.site-defined.v1': SiteDefined,
  'catalog.product-defined.v1': ProductDefined,
  'catalog.product-withdrawn.v1': ProductWithdrawn,
} as const;
