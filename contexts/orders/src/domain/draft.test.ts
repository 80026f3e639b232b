import type { OrderDraft } from '@provender/contracts';
import { describe, expect, test } from 'vitest';
import { readDraft } from './draft.ts';

const customer = { id: 'anna', isStaff: false };
const staff = { id: 'stefan', isStaff: true };
const base: OrderDraft = { siteId: 'site', lines: [{ productId: 'loaf', quantity: 1 }] };
const received = { amount: 1_000, currency: 'EUR' };

describe('readDraft', () => {
  test.each([customer, staff])('given no channel, then it is a shop order from the own account', (buyer) => {
    const expected = { siteId: 'site', channel: 'shop', tender: 'account', received: null, lines: base.lines };
    const wanted = { ok: true, value: { placement: expected, customerId: buyer.id } };
    expect(readDraft(base, buyer)).toEqual(wanted);
    expect(readDraft({ ...base, channel: 'shop' }, buyer)).toEqual(wanted);
  });

  test.each([
    { channel: 'counter', tender: { kind: 'cash' } },
    { channel: 'counter' },
    { tender: { kind: 'account', customerId: 'somebody' } },
    { channel: 'shop', tender: { kind: 'card' } },
  ] as const)('given a customer, when they ask for %j, then that is for staff', (more) => {
    expect(readDraft({ ...base, ...more }, customer)).toEqual({ ok: false, refusal: { kind: 'counter-is-for-staff' } });
  });

  test.each([
    [{ kind: 'cash' }, null, null],
    [{ kind: 'cash', received }, received, null],
    [{ kind: 'card' }, null, null],
    [{ kind: 'account', customerId: 'anna' }, null, 'anna'],
  ] as const)('given staff, when they sell for %j, then it is a counter sale', (tender, paid, customerId) => {
    const decided = readDraft({ ...base, channel: 'counter', tender }, staff);
    expect(decided).toMatchObject({
      ok: true,
      value: { customerId, placement: { tender: tender.kind, received: paid } },
    });
  });

  test.each([
    [{ channel: 'counter' }, '/tender'],
    [{ tender: { kind: 'cash' } }, '/tender'],
    [{ channel: 'counter', tender: { kind: 'card', received } }, '/tender/received'],
    [{ channel: 'counter', tender: { kind: 'account', received, customerId: 'anna' } }, '/tender/received'],
    [{ channel: 'counter', tender: { kind: 'account' } }, '/tender/customerId'],
    [{ channel: 'counter', tender: { kind: 'cash', customerId: 'anna' } }, '/tender/customerId'],
  ] as const)('given staff, when they send %j, then the fault is at %s', (more, pointer) => {
    expect(readDraft({ ...base, ...more }, staff)).toMatchObject({
      ok: false,
      refusal: { kind: 'invalid-draft', pointer },
    });
  });
});
