import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  cancelled,
  CUSTOMER,
  type House,
  held,
  made,
  messages,
  moved,
  NEIGHBOUR,
  openHouse,
  ordered,
  paid,
  placed,
  refunded,
  SOON,
  thrownOut,
} from './house.ts';

type Mail = { readonly to: string; readonly subject: string; readonly text: string; readonly html: string };

let house: House;
beforeAll(async () => {
  house = await openHouse();
});
afterAll(() => house.close());
beforeEach(() => house.test.sql('TRUNCATE notifications.mailbox, notifications.preferences'));

async function mails(): Promise<Mail[]> {
  return (await house.http.call<{ items: Mail[] }>('GET /api/mailbox', { as: 'manager' })).body.items;
}

async function choose(as: 'customer' | 'manager', body: object): Promise<void> {
  const answer = await house.http.call('PUT /api/notifications/preferences', { as, body });
  expect(answer.status).toBe(200);
}

describe('mail', () => {
  test('given somebody who chose nothing, when an order is placed, paid and made, then there is mail of what they cannot see', async () => {
    const order = ordered(house);
    await house.test.hear([placed(order), paid(order), moved(order, 'waiting', 'ready')]);
    await vi.waitFor(async () => {
      expect((await mails()).map(({ to, subject }) => [to, subject])).toEqual([
        ['cleo@test.example', 'Your order at Harbour & <Bakery> is ready to be collected'],
      ]);
    }, SOON);
  });

  test('given a mail about an order, when it is read, then it has lines, prices, status and the time on the wall of the site', async () => {
    const order = ordered(house);
    await house.test.hear([placed(order), moved(order, 'waiting', 'preparation')]);
    await vi.waitFor(async () => expect(await mails()).toHaveLength(1), SOON);
    const [mail] = await mails();
    for (const part of ['2 × Wheat loaf', '€3.80', '€7.60', 'is being prepared', order.orderId, '09:00', 'Berlin']) {
      expect(mail?.text).toContain(part);
      expect(mail?.html).toContain(part);
    }
    expect(mail?.html).toContain('Harbour &amp; &lt;Bakery&gt;');
    expect(mail?.html).not.toContain('<Bakery>');
  });

  test('given somebody who wants everything, when an order is cancelled, then each step comes once, the refund too', async () => {
    await choose('customer', { email: { 'order-placed': true, 'order-paid': true } });
    const order = ordered(house);
    await house.test.hear([placed(order), paid(order), cancelled(order)]);
    await house.test.hear([refunded(order)]);
    await vi.waitFor(async () => expect(await mails()).toHaveLength(4), SOON);
    expect((await mails()).map(({ text }) => text).join()).toContain('went back to where it came from');
  });

  test('given somebody who wants nothing, when an order of theirs changes, then there is no mail, nor for others', async () => {
    await choose('customer', { email: { 'order-status-changed': false } });
    const [own, other] = [ordered(house), ordered(house, NEIGHBOUR)];
    await house.test.hear([
      placed(own),
      moved(own, 'waiting', 'ready'),
      placed(other),
      moved(other, 'waiting', 'ready'),
    ]);
    await vi.waitFor(async () => expect((await mails()).map(({ to }) => to)).toEqual(['nils@test.example']), SOON);
  });

  test('given those who work here, when the last one goes and waste passes their limit, then they hear of it, once', async () => {
    await choose('manager', {
      email: { 'product-sold-out': true, 'waste-limit-passed': true },
      wasteLimit: { amount: 200, currency: 'EUR' },
    });
    await house.test.hear([made(house, 3), held(house, 2)]);
    await house.test.hear([held(house, 1), made(house, 1)]);
    await house.test.hear([held(house, 1), thrownOut(house, 150), thrownOut(house, 60), thrownOut(house, 10)]);
    await vi.waitFor(async () => expect(await mails()).toHaveLength(2), SOON);
    const subjects = (await mails()).map(({ subject }) => subject).sort();
    expect(subjects).toEqual([
      'Waste at Harbour & <Bakery> has come to €2.10',
      'Wheat loaf has run out at Harbour & <Bakery>',
    ]);
  });

  test('given mail that was sent, when the manager looks, then every attempt is on record, and events say so', async () => {
    const order = ordered(house);
    await house.test.hear([placed(order), moved(order, 'waiting', 'ready')]);
    await vi.waitFor(async () => {
      expect(await messages(house, `?orderId=${order.orderId}`)).toMatchObject([
        { channel: 'email', address: 'cleo@test.example', status: 'delivered', attempts: [{ ok: true }] },
      ]);
    }, SOON);
    const said = await house.test.said('notifications.message-delivered.v1');
    expect(said.at(-1)).toMatchObject({ key: CUSTOMER, data: { userId: CUSTOMER, orderId: order.orderId } });
  });
});
