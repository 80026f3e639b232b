import { randomUUID } from 'node:crypto';
import type { MachineView, Said, VendSessionView } from '@provender/contracts';
import type { OpenContext } from '@provender/platform';
import { openTestContext, openTestHttp, type TestContext, type TestHttp } from '@provender/platform/testing';
import { fleet } from '../src/index.ts';

/** The fleet on a database of its own, which knows a vending pool, another one, and a bar. */
export type Pool = {
  readonly test: TestContext<OpenContext>;
  readonly http: TestHttp;
  readonly siteId: string;
  readonly elsewhere: string;
  readonly barId: string;
  close(): Promise<void>;
};

export type Registered = {
  readonly machine: MachineView;
  readonly clientId: string;
  readonly clientSecret: string;
};
export type Started = { readonly machine: MachineView; readonly session: VendSessionView };

export const UNKNOWN = '01900000-0000-7000-8000-00000000dead';

export async function openPool(): Promise<Pool> {
  const test = await openTestContext(fleet);
  const http = await openTestHttp(test);
  const [siteId, elsewhere, barId] = [randomUUID(), randomUUID(), randomUUID()];
  await test.hear([site(siteId), site(elsewhere), bar(barId)]);
  return {
    ...{ test, http, siteId, elsewhere, barId },
    async close() {
      await http.close();
      await test.close();
    },
  };
}

function site(siteId: string): Said {
  const hours = { timeZone: 'Europe/Berlin', opensAt: '00:00', closesAt: '24:00' };
  const data = { siteId, name: 'Pool', kind: 'vending' as const, ...hours, currency: 'EUR', freeVend: false };
  return { type: 'catalog.site-defined.v1', key: siteId, subject: siteId, data };
}

function bar(productId: string): Said {
  const price = { amount: 180, currency: 'EUR' };
  const data = {
    ...{ productId, sku: 'BAR', name: 'Oat bar', category: 'Bars', price, unitCost: price },
    ...{ stock: 'unit' as const, shelfLifeMinutes: null, keepsOvernight: true },
    ...{ closingDiscountPercent: 0, variations: [] },
  };
  return { type: 'catalog.product-defined.v1', key: productId, subject: productId, data };
}

export function withdrawn(productId: string): Said {
  return { type: 'catalog.product-withdrawn.v1', key: productId, subject: productId, data: { productId } };
}

export async function register({ http, siteId }: Pool, more: object = {}): Promise<Registered> {
  const body = { name: 'Platform 2', siteId, ...more };
  const answer = await http.call<Registered>('POST /api/vending-machines/register', { as: 'manager', body });
  if (answer.status !== 201) throw new Error(`The machine was not registered: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

export function start({ http }: Pool, body: object = {}) {
  return http.call<Started>('POST /api/orchestrator/start-work', { as: 'customer', body });
}

export async function machineOf({ http }: Pool, id: string): Promise<MachineView> {
  return (await http.call<MachineView>(`GET /api/vending-machines/${id}`, { as: 'customer' })).body;
}

export async function sessionOf({ http }: Pool, id: string): Promise<VendSessionView> {
  return (await http.call<VendSessionView>(`GET /api/vending-sessions/${id}`, { as: 'staff' })).body;
}
