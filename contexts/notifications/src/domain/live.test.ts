import type { LiveMessage, RecordedEvent } from '@provender/contracts';
import { describe, expect, test } from 'vitest';
import { type Hearing, hearingKey, hears, isAfter, liveOrder, parsePlace } from './live.ts';

const everything: Hearing = { customerId: undefined, topics: ['orders', 'stock'], siteId: undefined };
const order: LiveMessage = {
  topic: 'orders',
  type: 'order-paid',
  at: '',
  orderId: 'o',
  siteId: 's',
  customerId: 'ann',
};
const stock: LiveMessage = { topic: 'stock', type: 'stock-changed', at: '', siteId: 's', productId: 'p', available: 1 };

function event(name: string, data: object): RecordedEvent {
  const frame = { id: name, source: 'orders' as const, position: 1, time: 'now', key: 's', subject: 'o' };
  return { ...frame, type: `orders.${name}.v1`, data: { orderId: 'o', siteId: 's', ...data } };
}

describe('what is said live', () => {
  test('given a customer, when others order or stock changes, then they hear nothing of it', () => {
    const ann = { ...everything, customerId: 'ann' };
    expect(hears(ann, order)).toBe(true);
    expect(hears({ ...ann, customerId: 'bob' }, order)).toBe(false);
    const { customerId: _nobody, ...atTheCounter } = order;
    expect(hears(ann, atTheCounter as LiveMessage)).toBe(false);
    expect(hears(ann, stock)).toBe(false);
  });

  test('given staff, when they name topics or a site, then they hear of these only', () => {
    expect([order, stock].map((message) => hears(everything, message))).toEqual([true, true]);
    expect(hears({ ...everything, topics: ['stock'] }, order)).toBe(false);
    expect(hears({ ...everything, siteId: 'elsewhere' }, order)).toBe(false);
  });

  test('given listeners who want the same, then they are a group; those who do not, are not', () => {
    expect(hearingKey({ ...everything, topics: ['stock', 'orders'] })).toBe(hearingKey(everything));
    expect(hearingKey({ ...everything, customerId: 'ann' })).not.toBe(hearingKey(everything));
  });

  test.each([
    ['order-placed', {}, 'placed'],
    ['order-paid', { handedOver: false }, 'waiting'],
    ['order-paid', { handedOver: true }, 'delivered'],
    ['order-status-changed', { from: 'waiting', to: 'ready' }, 'ready'],
    ['order-cancelled', { reason: 'site-closed' }, 'cancelled'],
  ])('given %s with %o, when it is said, then the order is %s', (name, data, status) => {
    expect(liveOrder(event(name, data))).toMatchObject({ topic: 'orders', type: name, status });
  });

  test('given other events of orders, when they happen, then nothing is said', () => {
    expect(liveOrder(event('payment-requested', {}))).toBeUndefined();
  });

  test('given an id, when it is read, then it is a place; anything else is none', () => {
    expect(parsePlace('12.3')).toEqual({ number: 12, index: 3 });
    const whole = parsePlace('12');
    expect(whole !== undefined && isAfter(whole, 12, 5)).toBe(false);
    expect(isAfter({ number: 12, index: 3 }, 12, 4)).toBe(true);
    for (const text of ['', '1.', '-1', '1e3', 'x', '1.2.3', '9'.repeat(20)]) expect(parsePlace(text)).toBeUndefined();
  });
});
