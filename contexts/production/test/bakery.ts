import type { BatchView, ProductDefined, Said, SiteDefined } from '@provender/contracts';
import { instant, type Instant } from '@provender/kernel';
import type { OpenContext } from '@provender/platform';
import { openTestContext, openTestHttp, type TestContext, type TestHttp } from '@provender/platform/testing';
import { production } from '../src/index.ts';

export const SITE = '01900000-0000-7000-8000-000000000001';
export const BREAD = '01900000-0000-7000-8000-000000000011';
export const COFFEE = '01900000-0000-7000-8000-000000000012';
export const UNKNOWN = '01900000-0000-7000-8000-00000000dead';

const eur = (amount: number) => ({ amount, currency: 'EUR' });

export const site: SiteDefined = {
  siteId: SITE,
  name: 'Corner bakery',
  kind: 'shop',
  timeZone: 'Europe/Berlin',
  opensAt: '07:00',
  closesAt: '18:00',
  currency: 'EUR',
  freeVend: false,
};

export const bread: ProductDefined = {
  productId: BREAD,
  sku: 'BREAD',
  name: 'Country bread',
  category: 'Bread',
  price: eur(450),
  unitCost: eur(120),
  stock: 'unit',
  shelfLifeMinutes: 240,
  keepsOvernight: false,
  closingDiscountPercent: 0,
  variations: [],
};

export const coffee: ProductDefined = {
  ...bread,
  productId: COFFEE,
  sku: 'COFFEE',
  stock: 'made-to-order',
  shelfLifeMinutes: null,
};

export function siteDefined(change: Partial<SiteDefined> = {}): Said {
  const data = { ...site, ...change };
  return { type: 'catalog.site-defined.v1', key: data.siteId, subject: data.siteId, data };
}

export function productDefined(data: ProductDefined): Said {
  return { type: 'catalog.product-defined.v1', key: data.productId, subject: data.productId, data };
}

export function productWithdrawn(productId: string): Said {
  return { type: 'catalog.product-withdrawn.v1', key: productId, subject: productId, data: { productId } };
}

/** A moment of the test's day, Saturday 21 November 2026, by Berlin's clock (UTC+1). */
export function berlin(time: string, date = '2026-11-21'): Instant {
  return instant(Date.parse(`${date}T${time}:00+01:00`));
}

export type Bakery = {
  readonly test: TestContext<OpenContext>;
  readonly http: TestHttp;
  /** When batches were made, oldest first, by Berlin's clock. */
  baked(): Promise<string[]>;
  close(): Promise<void>;
};

/** A bakery that opens at 7 and knows bread and coffee; it is six in the morning unless said otherwise. */
export async function openBakery(now: Instant = berlin('06:00')): Promise<Bakery> {
  const test = await openTestContext(production, { now });
  const http = await openTestHttp(test);
  await test.hear([siteDefined(), productDefined(bread), productDefined(coffee)]);
  return {
    test,
    http,
    async baked() {
      const { body } = await http.call<{ items: BatchView[] }>('GET /api/production/batches?limit=200', {
        as: 'staff',
      });
      const clock = new Intl.DateTimeFormat('sv-SE', {
        timeZone: 'Europe/Berlin',
        dateStyle: 'short',
        timeStyle: 'short',
      });
      return body.items.map(({ madeAt }) => clock.format(new Date(madeAt)).slice(5)).toReversed();
    },
    async close() {
      await http.close();
      await test.close();
    },
  };
}
