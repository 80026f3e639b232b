import { LISTENS } from '@provender/server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { addPeople, bake, defineProduct, made, openSite, type People } from '../support/town.ts';

type Consumer = {
  readonly consumer: string;
  readonly source: string;
  readonly position: number;
  readonly head: number;
  readonly lag: number;
};
type Verified = {
  readonly ok: boolean;
  readonly at: string;
  readonly checks: readonly { readonly name: string; readonly promise: string; readonly ok: boolean }[];
};

const SOMEBODY = '0199aaaa-0000-7000-8000-000000000001';
const ROUTES = [
  'GET /api/verify',
  'GET /api/events/consumers',
  'GET /api/events/parked',
  `POST /api/events/parked/${SOMEBODY}/retry`,
  `POST /api/events/parked/${SOMEBODY}/drop`,
] as const;

let shop: TestServer;
let people: People;

beforeAll(async () => {
  shop = await startTestServer();
  people = await addPeople(shop);
  const siteId = await openSite(shop, people.manager);
  const productId = await defineProduct(shop, people.manager);
  await bake(shop, people.staff, { siteId, productId, quantity: 3 });
  await shop.idle();
});
afterAll(() => shop.close());

function verify(query = ''): Promise<Verified> {
  return made<Verified>(shop, `GET /api/verify${query}`, { token: people.manager.token });
}

describe('watching over the system', () => {
  test.for(ROUTES)('given %s, when asked by anybody but a manager, then it is refused', async (line) => {
    const { manager, staff, customer } = people;
    const statuses = await Promise.all(
      [undefined, customer, staff, manager].map(
        async (person) => (await shop.api.call(line, { token: person?.token })).status,
      ),
    );
    expect(statuses).toEqual([401, 403, 403, line.startsWith('POST') ? 404 : 200]);
  });

  test('given nothing going on, when the consumers are listed, then each has read all that it listens to', async () => {
    const { items } = await made<{ items: Consumer[] }>(shop, 'GET /api/events/consumers', {
      token: people.manager.token,
    });

    const listening = Object.entries(LISTENS).flatMap(([consumer, sources]) =>
      sources.map((source) => `${consumer} ← ${source}`),
    );
    expect(items.map(({ consumer, source }) => `${consumer} ← ${source}`).sort()).toEqual(listening.sort());
    expect(items.filter(({ lag, head, position }) => lag !== 0 || head !== position)).toEqual([]);
    expect(items.find(({ source }) => source === 'catalog')?.head).toBe(2);
  });

  test('given a healthy shop, when verified, then every promise holds as of business time', async () => {
    const { ok, at, checks } = await verify();

    expect({ ok, failing: checks.filter((check) => !check.ok) }).toEqual({ ok: true, failing: [] });
    expect(at).toBe('2026-11-21T08:00:00.000Z');
    expect(new Set(checks.map(({ promise }) => promise))).toEqual(
      new Set(['P1', 'P2', 'P3', 'P4', 'P5', 'P6', 'P7', 'P8', 'P9']),
    );
  });

  test('given a balance that was tampered with, when verified by many at once, then all are told', async () => {
    await shop.sql('UPDATE bank.accounts SET balance = balance + 1 WHERE id = $1', [people.customer.id]);
    const answers = await Promise.all(Array.from({ length: 20 }, () => verify()));
    await shop.sql('UPDATE bank.accounts SET balance = balance - 1 WHERE id = $1', [people.customer.id]);

    expect(answers.map(({ ok }) => ok)).toEqual(Array(20).fill(false));
    const failing = answers[0]?.checks.filter((check) => !check.ok);
    // The account, the ledger, and the profile that gathers what the bank says.
    expect(failing?.map(({ promise }) => promise)).toEqual(['P5', 'P5', 'P7']);
    expect(await verify()).toMatchObject({ ok: true });
  });

  test('given a moment to begin at, when verified, then it is taken, and what is no moment is refused', async () => {
    expect(await verify('?since=2026-11-21T00:00:00.000Z')).toMatchObject({ ok: true });
    const { status } = await shop.api.call('GET /api/verify?since=yesterday', { token: people.manager.token });
    expect(status).toBe(400);
  });
});
