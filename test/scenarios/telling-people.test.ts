import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { listenLive, type LiveListener } from '../support/live.ts';
import { describeInBothShapes } from '../support/shapes.ts';
import { type MailServer, openMailServer } from '../support/smtp.ts';
import type { RunningTown } from '../support/town-shape.ts';
import { addPeople, bake, defineProduct, made, moveTo, openSite, order, type People, payIn } from '../support/town.ts';

const SOON = { timeout: 20_000, interval: 100 };

let shop: RunningTown;
let mailServer: MailServer;
let people: People;
let siteId: string;
let bread: string;
const listeners: LiveListener[] = [];

async function listen(token: string, lastEventId?: string): Promise<LiveListener> {
  const listener = await listenLive(shop.api.url, { token, query: '?topics=orders,stock', lastEventId });
  listeners.push(listener);
  return listener;
}

/** What a listener has heard of an order, or of anything that is not one. */
function told({ heard }: LiveListener, orderId?: string): unknown[] {
  const own = heard.filter(({ data }) => data['orderId'] === orderId);
  return own.filter(({ event }) => event !== 'begin').map(({ data }) => data['status'] ?? data['available']);
}

describeInBothShapes('telling people', (startTown) => {
  beforeAll(async () => {
    mailServer = await openMailServer();
    shop = await startTown({ env: { SMTP_URL: mailServer.url } });
    people = await addPeople(shop);
    siteId = await openSite(shop, people.manager);
    bread = await defineProduct(shop, people.manager);
    await payIn(shop, people.manager, people.customer.id, 20_000);
    await bake(shop, people.staff, { siteId, productId: bread, quantity: 12 });
  });
  afterEach(() => {
    for (const listener of listeners.splice(0)) listener.leave();
  });
  afterAll(async () => {
    await shop.close();
    await mailServer.close();
  });

  test('given a customer who listens, when her order goes from placing to delivery, then she hears and has mail of each step', async () => {
    const { customer, neighbour, staff } = people;
    const body = { email: { 'order-placed': true, 'order-paid': true } };
    await made(shop, 'PUT /api/notifications/preferences', { token: customer.token, body });
    const [hers, others, counter] = [
      await listen(customer.token),
      await listen(neighbour.token),
      await listen(staff.token),
    ];
    const { id } = (await order(shop, customer, { siteId, productId: bread, quantity: 2 })).body;
    for (const status of ['preparation', 'ready', 'delivered']) await moveTo(shop, staff, id, status);

    const steps = ['placed', 'waiting', 'preparation', 'ready', 'delivered'];
    await vi.waitFor(() => expect(told(hers, id)).toEqual(steps), SOON);
    await vi.waitFor(() => expect(told(counter, id)).toEqual(steps), SOON);
    await vi.waitFor(() => expect(told(counter)).toContain(10), SOON);
    expect(told(others, id)).toEqual([]);
    expect([told(hers), told(others)]).toEqual([[], []]);

    const mailsOf = () => mailServer.mails.filter(({ raw }) => raw.includes(id));
    await vi.waitFor(() => expect(mailsOf()).toHaveLength(5), SOON);
    const subjects = mailsOf().map(({ raw }) => /^Subject: (.*)$/m.exec(raw)?.[1] ?? '');
    expect(subjects.join(' | ')).toMatch(/placed.*paid.*prepared.*ready.*handed over/);
    expect(mailsOf().every(({ to }) => to.length === 1 && to[0] === 'customer@test.example')).toBe(true);
    expect(mailsOf()[0]?.raw).toMatch(/text\/plain[\s\S]*text\/html/);
    await shop.expectPromises();
  });

  test('given a listener who loses the line, when she comes back with the last id, then nothing is missing and nothing is told twice', async () => {
    const { customer, staff } = people;
    const first = await listen(customer.token);
    const { id } = (await order(shop, customer, { siteId, productId: bread })).body;
    await vi.waitFor(() => expect(told(first, id)).toEqual(['placed', 'waiting']), SOON);
    first.leave();
    await moveTo(shop, staff, id, 'preparation');
    await moveTo(shop, staff, id, 'ready');
    const second = await listen(customer.token, first.lastId());
    await vi.waitFor(() => expect(told(second, id)).toEqual(['preparation', 'ready']), SOON);
    await moveTo(shop, staff, id, 'delivered');
    await vi.waitFor(() => expect(told(second, id)).toEqual(['preparation', 'ready', 'delivered']), SOON);
    expect(second.heard.map(({ event }) => event)).not.toContain('reset');
  });

  test('given her profile, when all that has been heard, then it has her orders, her money and her mail', async () => {
    const { customer } = people;
    await vi.waitFor(async () => {
      const { body } = await shop.api.call('GET /api/users/me', { token: customer.token });
      expect(body).toMatchObject({
        account: { balance: { amount: 20_000 - 3 * 380 } },
        orders: { placed: 2, latest: [{ status: 'delivered' }, { status: 'delivered' }] },
        notifications: { delivered: 11, preferences: { email: expect.arrayContaining(['order-placed']) } },
      });
    }, SOON);
  });
});
