import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { PrivateAddress, resolveHost, signatureOf } from '../src/channels/webhook.ts';
import { readReceivers } from '../src/store/webhooks.ts';
import { changeWebhook, dropWebhook } from '../src/use-cases/manage-webhooks.ts';
import {
  type House,
  hurry,
  messages,
  moved,
  openHouse,
  openReceiver,
  ordered,
  placed,
  type Receiver,
  SOON,
} from './house.ts';

type Made = { readonly id: string; readonly secret: string };

let house: House;
let receiver: Receiver;
beforeAll(async () => {
  house = await openHouse();
});
afterAll(() => house.close());
beforeEach(async () => {
  await house.test.sql("UPDATE notifications.messages SET status = 'failed' WHERE status IN ('waiting', 'held')");
  await house.test.sql('UPDATE notifications.webhooks SET removed_at = now()');
  receiver = await openReceiver();
  return () => receiver.close();
});

async function addWebhook(body: object = {}): Promise<Made> {
  const wanted = { url: receiver.url, kinds: ['order-status-changed'], ...body };
  const answer = await house.http.call<Made>('POST /api/webhooks', { as: 'manager', body: wanted });
  expect(answer.status).toBe(201);
  return answer.body;
}

async function somethingHappens(): Promise<string> {
  const order = ordered(house);
  await house.test.hear([placed(order), moved(order, 'waiting', 'ready')]);
  return order.orderId;
}

async function toWebhook(id: string) {
  return (await messages(house, `?webhookId=${id}`)).filter(({ channel }) => channel === 'webhook');
}

/** Verifies as a receiver does, with nothing but what it was given (Standard Webhooks 1.0). */
function isGenuine(secret: string, { headers, body }: Receiver['received'][number]): boolean {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const signed = [headers['webhook-id'], headers['webhook-timestamp'], body].join('.');
  return headers['webhook-signature'] === `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
}

describe('webhooks', () => {
  test('given the example that is published with the standard, when it is signed, then the signature is that one', () => {
    const secret = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64');
    const body = '{"test": 2432232314}';
    expect(signatureOf(secret, 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330, body)).toBe(
      'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    );
  });

  test('given a webhook, when an order moves, then it gets a signed message, once', async () => {
    const { id, secret } = await addWebhook();
    const orderId = await somethingHappens();
    await vi.waitFor(async () => expect(await toWebhook(id)).toMatchObject([{ status: 'delivered' }]), SOON);
    expect(receiver.received).toHaveLength(1);
    // What is said later comes later: had the first come twice, that would stand between them.
    const later = await somethingHappens();
    await vi.waitFor(() => expect(receiver.received.some(({ body }) => body.includes(later))).toBe(true), SOON);
    expect(receiver.received.map(({ body }) => JSON.parse(body) as object)).toMatchObject([
      { data: { orderId } },
      { data: { orderId: later } },
    ]);
    const [got] = receiver.received;
    if (got === undefined) throw new Error('Nothing came');
    expect(isGenuine(secret, got)).toBe(true);
    expect(isGenuine(secret, { ...got, body: `${got.body} ` })).toBe(false);
    const age = Date.now() / 1_000 - Number(got.headers['webhook-timestamp']);
    expect(Math.abs(age)).toBeLessThan(60);
    expect(JSON.parse(got.body)).toMatchObject({
      type: 'orders.order-status-changed.v1',
      data: { orderId, to: 'ready' },
    });
  });

  test('given a receiver that fails, when it recovers, then the message comes with the id that it had', async () => {
    const { id } = await addWebhook();
    receiver.answer(500);
    await somethingHappens();
    await vi.waitFor(async () => expect((await toWebhook(id))[0]?.attempts).toHaveLength(1), SOON);
    const { body: failing } = await house.http.call(`GET /api/webhooks/${id}`, { as: 'manager' });
    expect(failing).toMatchObject({ enabled: true, failingSince: expect.any(String) });
    receiver.answer(200);
    await hurry(house);
    await vi.waitFor(async () => expect(await toWebhook(id)).toMatchObject([{ status: 'delivered' }]), SOON);
    expect(await toWebhook(id)).toMatchObject([{ attempts: [{ ok: false, detail: /^500/ }, { ok: true }] }]);
    const [first, second] = receiver.received;
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
    expect(second?.body).toBe(first?.body);
    const { body: well } = await house.http.call(`GET /api/webhooks/${id}`, { as: 'manager' });
    expect(well).not.toHaveProperty('failingSince');
  });

  test('given a webhook that answers nothing, when others have mail and webhooks too, then these do not wait', async () => {
    const dead = await addWebhook({ url: 'http://127.0.0.1:9/hook' });
    const { id } = await addWebhook();
    await somethingHappens();
    await vi.waitFor(async () => expect(await toWebhook(id)).toMatchObject([{ status: 'delivered' }]), SOON);
    await vi.waitFor(async () => expect((await toWebhook(dead.id))[0]?.attempts[0]?.ok).toBe(false), SOON);
    expect(await toWebhook(dead.id)).toMatchObject([{ status: 'waiting' }]);
  });

  test('given days of failure, when it fails once more, then it is disabled; enabled again, it gets what was held', async () => {
    const { id } = await addWebhook();
    receiver.answer(503);
    await somethingHappens();
    await vi.waitFor(async () => expect((await toWebhook(id))[0]?.attempts).toHaveLength(1), SOON);
    await house.test.sql("UPDATE notifications.webhooks SET failing_since = now() - interval '4 days' WHERE id = $1", [
      id,
    ]);
    await hurry(house);
    await vi.waitFor(async () => expect(await toWebhook(id)).toMatchObject([{ status: 'held' }]), SOON);
    await somethingHappens();
    expect((await toWebhook(id)).map(({ status }) => status)).toEqual(['held', 'held']);
    receiver.answer(200);
    const enabled = await house.http.call(`PATCH /api/webhooks/${id}`, { as: 'manager', body: { enabled: true } });
    expect(enabled.body).toMatchObject({ enabled: true });
    await vi.waitFor(async () => {
      expect((await toWebhook(id)).map(({ status }) => status)).toEqual(['delivered', 'delivered']);
    }, SOON);
  });

  test('given a receiver that wants no more, when it answers 410, then it is disabled at once', async () => {
    const { id } = await addWebhook();
    receiver.answer(410);
    await somethingHappens();
    await vi.waitFor(async () => {
      const { body } = await house.http.call(`GET /api/webhooks/${id}`, { as: 'manager' });
      expect(body).toMatchObject({ enabled: false, disabledReason: /410/ });
    }, SOON);
  });

  test('given messages that were sent, when one or a stretch is replayed, then they come again with their ids', async () => {
    const { id, secret } = await addWebhook();
    await somethingHappens();
    await somethingHappens();
    await vi.waitFor(() => expect(receiver.received).toHaveLength(2), SOON);
    await vi.waitFor(async () => {
      expect((await toWebhook(id)).map(({ status }) => status)).toEqual(['delivered', 'delivered']);
    }, SOON);
    const [one] = await toWebhook(id);
    const replayOne = { as: 'manager', body: { messageId: one?.id } } as const;
    expect((await house.http.call(`POST /api/webhooks/${id}/replay`, replayOne)).body).toEqual({ replayed: 1 });
    await vi.waitFor(() => expect(receiver.received).toHaveLength(3), SOON);
    expect(receiver.received[2]?.headers['webhook-id']).toBe(one?.id);
    await vi.waitFor(async () => expect((await toWebhook(id))[0]?.status).toBe('delivered'), SOON);
    const stretch = { from: '2026-11-21T00:00:00.000Z', to: '2026-11-22T00:00:00.000Z' };
    const range = await house.http.call(`POST /api/webhooks/${id}/replay`, { as: 'manager', body: stretch });
    expect(range.body).toEqual({ replayed: 2 });
    await vi.waitFor(() => expect(receiver.received).toHaveLength(5), SOON);
    expect(receiver.received.every((got) => isGenuine(secret, got))).toBe(true);
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(2);
    for (const body of [{}, { messageId: one?.id, ...stretch }, { from: stretch.to, to: stretch.from }]) {
      expect((await house.http.call(`POST /api/webhooks/${id}/replay`, { as: 'manager', body })).status).toBe(400);
    }
  });

  test('given a redirect, when it is answered, then it is not followed', async () => {
    const other = await openReceiver();
    const { id } = await addWebhook();
    receiver.answer(302, { location: other.url });
    await somethingHappens();
    await vi.waitFor(async () => expect((await toWebhook(id))[0]?.attempts[0]?.detail).toContain('not followed'), SOON);
    expect(other.received).toEqual([]);
    await other.close();
  });

  test('given a webhook that is removed, when something happens, then it hears nothing and what waited is given up', async () => {
    const { id } = await addWebhook();
    receiver.answer(500);
    await somethingHappens();
    await vi.waitFor(async () => expect((await toWebhook(id))[0]?.attempts).toHaveLength(1), SOON);
    expect((await house.http.call(`DELETE /api/webhooks/${id}`, { as: 'manager' })).status).toBe(204);
    await somethingHappens();
    expect((await toWebhook(id)).map(({ status }) => status)).toEqual(['failed']);
    expect((await house.http.call(`GET /api/webhooks/${id}`, { as: 'manager' })).status).toBe(404);
  });
});

describe('a webhook that changes while something is told', () => {
  const isWaiting = async () =>
    (
      await house.test.sql(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
      )
    ).length > 0;

  test('given a set that has read who hears, when one is disabled, then that waits for what is written down', async () => {
    const { id } = await addWebhook();
    const { db } = house.test.running;
    const [hasRead, mayCommit] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const ended: string[] = [];
    const telling = db
      .withTx(async (tx) => {
        expect(await readReceivers(tx)).toMatchObject([{ id, isDisabled: false }]);
        hasRead.resolve();
        await mayCommit.promise;
      })
      .then(() => ended.push('told'));
    await hasRead.promise;
    const disabling = db.withTx((tx) => changeWebhook(tx, id, { enabled: false })).then(() => ended.push('disabled'));
    await vi.waitFor(async () => expect(ended.length > 0 || (await isWaiting())).toBe(true), SOON);
    mayCommit.resolve();
    await Promise.all([telling, disabling]);
    expect(ended).toEqual(['told', 'disabled']);
  });

  test('given one that is being removed, when a set reads who hears, then it waits, and that one hears nothing', async () => {
    const { id } = await addWebhook();
    const { db, clock } = { db: house.test.running.db, clock: house.test.clock };
    const [isRemoved, mayCommit] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let heard: readonly object[] | undefined;
    const removing = db.withTx(async (tx) => {
      await dropWebhook(tx, id, clock.now());
      isRemoved.resolve();
      await mayCommit.promise;
    });
    await isRemoved.promise;
    const telling = db.withTx(async (tx) => {
      heard = await readReceivers(tx);
    });
    await vi.waitFor(async () => expect(heard !== undefined || (await isWaiting())).toBe(true), SOON);
    mayCommit.resolve();
    await Promise.all([removing, telling]);
    expect(heard).toEqual([]);
  });
});

describe('where webhooks may go', () => {
  test('given a name that leads to this machine, when it is resolved, then it is refused; where that is allowed, not', async () => {
    await expect(resolveHost('localhost', false)).rejects.toThrow(PrivateAddress);
    expect(['127.0.0.1', '::1']).toContain((await resolveHost('localhost', true)).address);
  });

  test('given a name with a public and a private address, when it is resolved, then it is refused, whichever is first', async () => {
    const [open, inside] = [
      { address: '93.184.216.34', family: 4 },
      { address: '10.0.0.1', family: 4 },
    ];
    for (const addresses of [
      [open, inside],
      [inside, open],
    ]) {
      await expect(resolveHost('two.example', false, async () => addresses)).rejects.toThrow(PrivateAddress);
    }
    expect(await resolveHost('one.example', false, async () => [open])).toEqual(open);
  });

  test('given that nothing private is allowed, when such an address is added, or a name that leads there, then it is refused', async () => {
    const strict = await openHouse({ WEBHOOK_LOOPBACK: 'off' });
    for (const url of [
      receiver.url,
      'https://127.0.0.1/',
      'https://localhost/',
      'https://10.0.0.1/',
      'https://[::1]/',
    ]) {
      const answer = await strict.http.call('POST /api/webhooks', { as: 'manager', body: { url } });
      expect([url, answer.status, answer.body]).toMatchObject([url, 400, { errors: [{ pointer: '/url' }] }]);
    }
    // One that was allowed before, or whose name has come to mean this machine, is looked at again when it is sent to.
    const order = ordered(strict);
    const good = await strict.http.call<Made>('POST /api/webhooks', {
      as: 'manager',
      body: { url: 'https://93.184.216.34/', kinds: ['order-status-changed'] },
    });
    expect(good.status).toBe(201);
    await strict.test.sql('UPDATE notifications.webhooks SET url = $1', [receiver.url]);
    await strict.test.hear([placed(order), moved(order, 'waiting', 'ready')]);
    await vi.waitFor(async () => {
      const sent = await messages(strict, `?webhookId=${good.body.id}`);
      expect(sent[0]?.attempts[0]).toMatchObject({ ok: false });
    }, SOON);
    expect(receiver.received).toEqual([]);
    await strict.close();
  });
});
