import type { RecordedEvent } from '@provender/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EMPTY_PROFILE, grown, LATEST_MAX, type Profile, PROFILE_EVENTS, userOf } from './profile.ts';

const euro = (amount: number) => ({ amount, currency: 'EUR' });

let count = 0;
function event(type: string, subject: string, data: object): RecordedEvent {
  count += 1;
  const time = new Date(Date.parse('2026-11-21T08:00:00.000Z') + count * 1_000).toISOString();
  const source = type.slice(0, type.indexOf('.')) as RecordedEvent['source'];
  return { id: `${count}`.padStart(6, '0'), source, position: count, time, key: 'k', subject, type, data };
}

/** Everything that can be said of an order, in the order in which it is said. */
function orderEvents(orderId: string): RecordedEvent[] {
  const about = { orderId, siteId: 's', customerId: 'ann' };
  const lines = Array.from({ length: 12 }, (_, index) => ({ name: `Loaf ${index}`, quantity: 1 }));
  const placedAt = `2026-11-21T09:00:00.${orderId.padStart(3, '0')}Z`;
  return [
    event('orders.order-placed.v1', orderId, { ...about, channel: 'shop', placedAt, lines, total: euro(500) }),
    event('orders.order-paid.v1', orderId, { ...about, handedOver: false }),
    event('orders.order-status-changed.v1', orderId, { ...about, from: 'waiting', to: 'ready' }),
    event('orders.order-cancelled.v1', orderId, { ...about, reason: 'cancelled-by-staff' }),
  ];
}

function logs(): readonly (readonly RecordedEvent[])[] {
  const orders = Array.from({ length: LATEST_MAX + 3 }, (_, index) => orderEvents(`${index + 1}`));
  const bank = [
    event('bank.account-opened.v1', 'ann', { accountId: 'ann', userId: 'ann', balance: euro(0) }),
    event('bank.deposit-received.v1', 'ann', { accountId: 'ann', amount: euro(2_000), balance: euro(2_000) }),
    event('bank.payment-captured.v1', '1', { accountId: 'ann', amount: euro(500), orderId: '1' }),
    event('bank.payment-refunded.v1', '1', { accountId: 'ann', amount: euro(500), orderId: '1' }),
    event('bank.payment-captured.v1', '2', { accountId: 'ann', amount: euro(700), orderId: '2' }),
  ];
  const delivered = {
    userId: 'ann',
    channel: 'email',
    kind: 'order-refunded',
    deliveredAt: '2026-11-21T10:00:00.000Z',
  };
  const notifications = [
    event('notifications.preferences-changed.v1', 'ann', { userId: 'ann', email: ['order-paid'], webhook: [] }),
    event('notifications.message-delivered.v1', 'ann', { ...delivered, messageId: 'm1' }),
    event('notifications.preferences-changed.v1', 'ann', { userId: 'ann', email: [], webhook: [] }),
  ];
  return [...orders, bank, notifications];
}

function profileOf(events: readonly RecordedEvent[]): Profile {
  return events.reduce(grown, EMPTY_PROFILE);
}

describe('profiles', () => {
  test('given what was said of somebody, when their profile has grown, then it says what there is to say', () => {
    const profile = profileOf(logs().flat());
    expect(profile.orders.placed).toBe(LATEST_MAX + 3);
    expect(profile.orders.latest).toHaveLength(LATEST_MAX);
    expect(profile.orders.latest[0]).toMatchObject({ id: '13', status: 'cancelled', reason: 'cancelled-by-staff' });
    expect(profile.orders.latest[0]?.lines).toHaveLength(10);
    expect(profile.account).toMatchObject({ id: 'ann', balance: euro(1_300) });
    expect(profile.account?.movements.map(({ kind, amount }) => [kind, amount.amount])).toEqual([
      ['payment', -700],
      ['refund', 500],
      ['payment', -500],
      ['deposit', 2_000],
    ]);
    expect(profile.notifications).toMatchObject({ delivered: 1, preferences: { email: [] } });
  });

  test('given several logs, when they are read in any order between them, then the profile is the same', () => {
    const all = logs();
    const expected = profileOf(all.flat());
    // The next event always comes from a log that chance has chosen; each log stays in its own order.
    const choices = fc.array(fc.nat(), { minLength: all.flat().length, maxLength: all.flat().length });
    fc.assert(
      fc.property(choices, (chosen) => {
        const left = all.map((log) => [...log]);
        const mixed = chosen.flatMap((choice) => {
          const open = left.filter((log) => log.length > 0);
          return open[choice % open.length]?.splice(0, 1) ?? [];
        });
        expect(profileOf(mixed)).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });

  test('given events, when it is asked whose they are, then it is the user, the customer or the owner of the account', () => {
    const [order = [], bank = [], notifications = []] = [logs()[0], logs().at(-2), logs().at(-1)];
    const all = [...order, ...bank, ...notifications];
    expect(all.map(userOf)).toEqual(all.map(() => 'ann'));
    expect(userOf(event('bank.payment-captured.v1', 'o', { amount: euro(1) }))).toBeUndefined();
  });

  test('given an event that no profile hears of, when it is added, then nothing changes', () => {
    expect(PROFILE_EVENTS).not.toContain('catalog.site-defined.v1');
    expect(grown(EMPTY_PROFILE, event('catalog.site-defined.v1', 's', {}))).toBe(EMPTY_PROFILE);
  });
});
