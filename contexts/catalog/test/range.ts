import type { ProductDraft, SiteDraft } from '@provender/contracts';
import type { OpenContext } from '@provender/platform';
import { openTestContext, openTestHttp, type TestContext, type TestHttp } from '@provender/platform/testing';
import { catalog } from '../src/index.ts';

export const eur = (amount: number) => ({ amount, currency: 'EUR' });

export const shop: SiteDraft = {
  name: 'Corner Bakery',
  kind: 'shop',
  timeZone: 'Europe/Berlin',
  opensAt: '07:00',
  closesAt: '18:00',
  currency: 'EUR',
};

export const bread: ProductDraft = {
  sku: 'BREAD',
  name: 'Country bread',
  category: 'Bread',
  price: eur(450),
  unitCost: eur(120),
  stock: 'unit',
  shelfLife: 'PT10H',
  closingDiscountPercent: 30,
};

export const coffee: ProductDraft = {
  sku: 'COFFEE',
  name: 'Coffee',
  category: 'Drinks',
  price: eur(280),
  stock: 'made-to-order',
};

export type Range = { readonly test: TestContext<OpenContext>; readonly http: TestHttp; close(): Promise<void> };

export async function openRange(): Promise<Range> {
  const test = await openTestContext(catalog);
  const http = await openTestHttp(test);
  return {
    test,
    http,
    async close() {
      await http.close();
      await test.close();
    },
  };
}

/** Posts as the manager and gives the id of what was made. */
export async function made(http: TestHttp, path: string, body: unknown): Promise<string> {
  const answer = await http.call<{ id: string }>(`POST ${path}`, { as: 'manager', body });
  if (answer.status !== 201) throw new Error(`${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body.id;
}
