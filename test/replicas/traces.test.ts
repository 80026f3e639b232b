import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addPeople, bake, defineProduct, openSite, payIn, type People } from '../support/town.ts';
import { describeOverBoth, type Replica, type Replicas, startReplicas } from './replicas.ts';

// A trace goes from the request through every event that follows from it, also where one transaction of a context
// carries events of many traces.

const BUYERS = 40;
const UNITS = 30;

type Traced = { readonly context: string; readonly type: string; readonly traceparent: string | null };

function newTrace(): string {
  return `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;
}

describeOverBoth('the trace of a purchase', (carrier) => {
  let replicas: Replicas;
  let shop: Replica;
  let people: People;
  let siteId: string;
  let bread: string;

  beforeAll(async () => {
    replicas = await startReplicas({ carrier });
    [shop] = replicas.all as [Replica];
    people = await addPeople(shop);
    siteId = await openSite(shop, people.manager);
    bread = await defineProduct(shop, people.manager);
    await payIn(shop, people.manager, people.customer.id, 100_000);
    await bake(shop, people.staff, { siteId, productId: bread, quantity: UNITS });
    await replicas.idle();
  }, 60_000);
  afterAll(() => replicas.close());

  /** All that was said about a subject, in every log. */
  async function eventsAbout(subject: string): Promise<Traced[]> {
    const logs = [...shop.server.system.contexts.keys()].map(
      (context) => `SELECT '${context}' AS context, type, traceparent FROM ${context}.outbox WHERE subject = $1`,
    );
    return replicas.sql<Traced>(logs.join(' UNION ALL '), [subject]);
  }

  test('given many buyers at once, then each order has its own trace to the last effect', async () => {
    const buyers = Array.from({ length: BUYERS }, newTrace);
    const answers = await Promise.all(
      buyers.map((traceparent, index) =>
        (replicas.all[index % 2] as Replica).api.call('POST /api/orders', {
          token: people.customer.token,
          body: { siteId, lines: [{ productId: bread, quantity: 1 }] },
          headers: { traceparent },
        }),
      ),
    );
    await shop.idle();
    expect(answers.map(({ headers }) => headers['traceparent'])).toEqual(buyers);
    const sold = answers.filter(({ status }) => status === 201);
    expect(sold.length).toBe(UNITS);
    for (const { body, headers } of answers) {
      const id = String(body['id'] ?? body['orderId']);
      const events = await eventsAbout(id);
      expect(new Set(events.map(({ traceparent }) => traceparent))).toEqual(new Set([headers['traceparent']]));
    }
    const [{ body } = { body: {} }] = sold;
    const types = (await eventsAbout(String((body as { id?: string }).id))).map(({ type }) => type);
    expect(types).toEqual(
      expect.arrayContaining([
        'orders.order-placed.v1',
        'inventory.units-held.v1',
        'orders.payment-requested.v1',
        'bank.payment-captured.v1',
        'orders.order-paid.v1',
        'inventory.units-allocated.v1',
      ]),
    );
  });

  test('given a request without a trace, then it gets one, and a later request about the order has its own', async () => {
    const asked = { token: people.customer.token };
    await bake(shop, people.staff, { siteId, productId: bread, quantity: 1 });
    const body = { siteId, lines: [{ productId: bread, quantity: 1 }] };
    const placed = await shop.api.call('POST /api/orders', { ...asked, body });
    const placing = placed.headers['traceparent'];
    expect(placing).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-01$/);
    const id = String(placed.body['id']);
    const cancelling = newTrace();
    const headers = { traceparent: cancelling };
    expect((await shop.api.call(`POST /api/orders/${id}/cancel`, { ...asked, headers })).status).toBe(200);
    await shop.idle();
    const traceOf = new Map((await eventsAbout(id)).map(({ type, traceparent }) => [type, traceparent]));
    expect(traceOf.get('orders.order-placed.v1')).toBe(placing);
    expect(traceOf.get('inventory.units-allocated.v1')).toBe(placing);
    expect(traceOf.get('orders.order-cancelled.v1')).toBe(cancelling);
    expect(traceOf.get('bank.payment-refunded.v1')).toBe(cancelling);
    expect(traceOf.get('inventory.units-released.v1')).toBe(cancelling);
  });

  test('given work that falls due, then all that follows from one timer has one trace', async () => {
    await bake(shop, people.staff, { siteId, productId: bread, quantity: 3 });
    await shop.advanceTo('2026-11-21T17:05:00.000Z');
    const [swept] = await replicas.sql<Traced>(
      "SELECT type, traceparent FROM inventory.outbox WHERE type = 'inventory.units-discarded.v1'",
    );
    expect(swept?.traceparent).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-01$/);
    const untraced = [...shop.server.system.contexts.keys()].map(
      (context) => `SELECT '${context}' AS context, type, traceparent FROM ${context}.outbox WHERE traceparent IS NULL`,
    );
    // People that a test adds by hand come in no request.
    const types = (await replicas.sql<Traced>(untraced.join(' UNION ALL '))).map(({ type }) => type);
    expect(types.filter((type) => !['identity.user-registered.v1', 'bank.account-opened.v1'].includes(type))).toEqual(
      [],
    );
  });
});
