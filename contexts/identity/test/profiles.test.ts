import { randomUUID } from 'node:crypto';
import type { RecordedEvent, Said } from '@provender/contracts';
import { consumeAnew, idle } from '@provender/platform';
import { openTestContext, openTestHttp, type TestContext, type TestHttp } from '@provender/platform/testing';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { identity, madeProfiles, type OpenIdentity } from '../src/index.ts';
import { growProfiles } from '../src/use-cases/grow-profiles.ts';

const SOON = { timeout: 15_000, interval: 50 };
const euro = (amount: number) => ({ amount, currency: 'EUR' });

let context: TestContext<OpenIdentity>;
let http: TestHttp;
let userId: string;
beforeAll(async () => {
  context = await openTestContext(identity);
  http = await openTestHttp(context);
  const [user] = await context.running.open.addPeople(
    [{ email: 'a@test.example', name: 'Ann', roles: ['customer'] }],
    'x',
  );
  userId = user?.id ?? '';
});
afterAll(async () => {
  await http.close();
  await context.close();
});

function opened(): Said {
  const data = { accountId: userId, userId, balance: euro(0) };
  return { type: 'bank.account-opened.v1', key: userId, subject: userId, data };
}

function deposited(amount: number): Said {
  const data = { accountId: userId, amount: euro(amount), balance: euro(amount) };
  return { type: 'bank.deposit-received.v1', key: userId, subject: userId, data };
}

function paid(orderId: string, siteId: string): Said {
  const data = { orderId, siteId, channel: 'shop' as const, customerId: userId, total: euro(300) };
  return {
    type: 'orders.order-paid.v1',
    key: siteId,
    subject: orderId,
    data: { ...data, handedOver: false, units: 1 },
  };
}

function placed(orderId: string, siteId: string): Said {
  const line = { productId: randomUUID(), name: 'Loaf', stock: 'unit' as const, quantity: 1, discountPercent: 0 };
  const lines = [{ ...line, listPrice: euro(300), unitPrice: euro(300), total: euro(300) }];
  const about = { orderId, siteId, channel: 'shop' as const, customerId: userId, placedAt: '2026-11-21T08:00:00.000Z' };
  const data = { ...about, tender: 'account' as const, lines, total: euro(300) };
  return { type: 'orders.order-placed.v1', key: siteId, subject: orderId, data };
}

async function profile() {
  return (await http.call(`GET /api/users/${userId}`, { as: 'manager' })).body;
}

describe('the profile', () => {
  test('given somebody of whom nothing was heard, when asked for, then there is who they are', async () => {
    expect(await profile()).toMatchObject({ id: userId, name: 'Ann', orders: { placed: 0, latest: [] } });
  });

  test('given what others say, when heard, then the profile has it; rebuilt from the first event, it is the same', async () => {
    const [orderId, siteId] = [randomUUID(), randomUUID()];
    await context.hear([opened(), deposited(900)]);
    await context.hear([placed(orderId, siteId), paid(orderId, siteId)]);
    await context.hear([deposited(100)]);
    const before = await profile();
    expect(before).toMatchObject({
      account: { balance: euro(1_000), movements: [{ amount: euro(100) }, { amount: euro(900) }] },
      orders: { placed: 1, latest: [{ id: orderId, status: 'waiting', lines: [{ name: 'Loaf', quantity: 1 }] }] },
    });
    await context.sql(`UPDATE identity.profiles SET document = '{"orders": {"placed": 99, "latest": []}}'`);
    expect(await consumeAnew(context.url, 'identity', madeProfiles)).toBeGreaterThan(2);
    await vi.waitFor(async () => expect(await profile()).toEqual(before), SOON);
    await context.hear([deposited(5)]);
    await idle(new Map([['identity', context.running]]));
    expect(await profile()).toMatchObject({ account: { balance: euro(1_005) } });
  });

  test('given a log that has lost its beginning, when profiles are to be rebuilt, then it is refused and they stay', async () => {
    const before = await profile();
    await context.sql('DELETE FROM identity.outbox WHERE position = 1');
    await expect(consumeAnew(context.url, 'identity', madeProfiles)).rejects.toThrow('begins at event 2');
    expect(await profile()).toEqual(before);
  });
});

describe('two processes that hear of the same people', () => {
  function recorded(position: number, people: readonly string[]): RecordedEvent[] {
    return people.map((accountId) => ({
      ...{ id: randomUUID(), source: 'bank', position, time: `2026-11-21T08:00:0${position}.000Z` },
      ...{ type: 'bank.deposit-received.v1', key: accountId, subject: accountId },
      data: { accountId, amount: euro(100 * position), balance: euro(100 * position) },
    }));
  }

  async function waits(): Promise<boolean> {
    const waiting = await context.sql(
      "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    );
    return waiting.length > 0;
  }

  test('given people without profiles, when two transactions grow them at once, then neither loses what it heard', async () => {
    const people = [randomUUID(), randomUUID()];
    const { db } = context.running;
    const [hasGrown, mayCommit] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const first = db.withTx(async (tx) => {
      await growProfiles(tx, recorded(1, people));
      hasGrown.resolve();
      await mayCommit.promise;
    });
    await hasGrown.promise;
    const second = db.withTx((tx) => growProfiles(tx, recorded(2, people.toReversed())));
    await vi.waitFor(async () => expect(await waits()).toBe(true), SOON);
    mayCommit.resolve();
    await Promise.all([first, second]);
    const rows = await context.sql(
      `SELECT document#>>'{account,balance,amount}' AS balance FROM identity.profiles WHERE user_id = ANY($1)`,
      [people],
    );
    expect(rows).toEqual([{ balance: '300' }, { balance: '300' }]);
  });
});
