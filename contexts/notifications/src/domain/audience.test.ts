import { NOTICE_KINDS, type Role } from '@provender/contracts';
import { describe, expect, test } from 'vitest';
import { addressesOf, type Audience, type Listener } from './audience.ts';
import type { Notice } from './notice.ts';
import { USUAL } from './preferences.ts';

function listener(id: string, roles: Role[], email = `${id}@test.example`): Listener {
  return { id, email, roles, preferences: { ...USUAL, email: NOTICE_KINDS } };
}

const people = new Map(
  [listener('ann', ['customer']), listener('sam', ['staff']), listener('mara', ['manager'])].map((one) => [
    one.id,
    one,
  ]),
);
const audience: Audience = { people, receivers: [], publishes: false };

function notice(change: Partial<Notice>): Notice {
  const frame = { eventId: 'e', source: 'orders', type: 'orders.order-paid.v1', key: 's', subject: 'o', eventAt: '' };
  return { ...frame, kind: 'order-paid', data: {}, concerns: { customerId: 'ann' }, ...change };
}

function told(what: Notice, to: Audience): string[] {
  return addressesOf(what, to).map(({ channel, address }) => `${channel} ${address}`);
}

describe('who is told', () => {
  test('given an order, when it is paid, then its customer gets mail and nobody else', () => {
    expect(told(notice({}), audience)).toEqual(['email ann@test.example']);
    expect(told(notice({ concerns: { customerId: 'gone' } }), audience)).toEqual([]);
    expect(told(notice({ concerns: 'nobody' }), audience)).toEqual([]);
  });

  test('given what concerns the house, when it happens, then those who work here get mail, each address once', () => {
    const shared = new Map([...people, ['sue', listener('sue', ['staff'], 'sam@test.example')]]);
    const what = notice({ concerns: 'house', kind: 'product-sold-out' });
    expect(told(what, { ...audience, people: shared })).toEqual(['email sam@test.example', 'email mara@test.example']);
  });

  test('given a webhook, when its owner is a manager no longer, then it hears nothing', () => {
    const receivers = ['mara', 'sam', 'ann', 'gone'].map((ownerId) => {
      return { id: `hook of ${ownerId}`, ownerId, kinds: NOTICE_KINDS, isDisabled: false };
    });
    expect(told(notice({ concerns: 'nobody' }), { ...audience, receivers })).toEqual(['webhook hook of mara']);
  });

  test('given a webhook that is disabled, when something happens, then what is for it is held', () => {
    const receivers = [{ id: 'hook', ownerId: 'mara', kinds: NOTICE_KINDS, isDisabled: true }];
    const addressed = addressesOf(notice({ concerns: 'nobody' }), { ...audience, receivers });
    expect(addressed).toMatchObject([{ lane: 'hook', isHeld: true }]);
  });

  test('given other programs, when something happens, then it is published by the name of the event', () => {
    expect(told(notice({ concerns: 'nobody' }), { ...audience, publishes: true })).toEqual([
      'redis provender.orders.order-paid',
    ]);
  });

  test('given waste, when it passes nobody’s limit, then nobody is told', () => {
    const what = notice({ concerns: 'house', kind: 'waste-limit-passed' });
    const waste = { before: 0, after: 10, currency: 'EUR' };
    expect(addressesOf(what, { ...audience, publishes: true }, waste)).toEqual([]);
  });
});
