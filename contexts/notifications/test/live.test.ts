import { randomUUID } from 'node:crypto';
import type { Query } from '@provender/platform';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Hearing, LivePlace } from '../src/domain/live.ts';
import { type Line, type LiveHub, openLiveHub } from '../src/live/hub.ts';
import { CUSTOMER, type House, held, made, moved, NEIGHBOUR, openHouse, ordered, placed, SOON } from './house.ts';

const LISTENERS = 1_000;
/** How often a hub with listeners asks the database. */
const LOOK_MILLISECONDS = 500;
const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const STAFF: Hearing = { customerId: undefined, topics: ['orders', 'stock'], siteId: undefined };

let house: House;
const hubs: LiveHub[] = [];
beforeAll(async () => {
  house = await openHouse();
});
afterAll(async () => {
  for (const hub of hubs) hub.close();
  await house.close();
});

type Heard = { readonly id: string; readonly event: string; readonly data: Readonly<Record<string, unknown>> };
type Listener = { readonly line: Line; readonly heard: Heard[]; readonly end: { destroyed: boolean } };

/** Somebody at the other end of a line, who reads all of it, or nothing. */
function listener(reads = true): Listener {
  const heard: Heard[] = [];
  const end = { destroyed: false, writableLength: 0 };
  const line: Line = {
    write(chunk) {
      if (!reads) end.writableLength += chunk.length;
      for (const frame of chunk.toString().split('\n\n')) {
        const [, id, event, data] = /^id: (.*)\nevent: (.*)\ndata: (.*)$/.exec(frame) ?? [];
        if (id !== undefined && event !== undefined) heard.push({ id, event, data: JSON.parse(data ?? '{}') });
      }
    },
    end: () => (end.destroyed = true),
    destroy: () => (end.destroyed = true),
    drained: () => Promise.resolve(),
    get writableLength() {
      return end.writableLength;
    },
    get destroyed() {
      return end.destroyed;
    },
    get writableEnded() {
      return end.destroyed;
    },
  };
  return { line, heard, end };
}

/** A hub on the house's database, which counts its questions. */
function openHub(): { hub: LiveHub; questions: () => number } {
  let count = 0;
  const { db } = house.test.running;
  const counting: Query = {
    query: (statement, values) => {
      count += 1;
      return db.query(statement, values);
    },
  };
  const hub = openLiveHub(counting, SILENT);
  hubs.push(hub);
  return { hub, questions: () => count };
}

function place(id: string | undefined): LivePlace {
  const [number = '0', index = 'Infinity'] = (id ?? '').split('.');
  return { number: Number(number), index: Number(index) };
}

function typesOf({ heard }: Listener): string[] {
  return heard.map(({ data: { type, status, available } }) => [type, status ?? available].join(' '));
}

describe('the live stream', () => {
  test('given a customer and staff who listen, when orders and stock move, then each hears what is theirs', async () => {
    const { hub } = openHub();
    const [customer, staff] = [listener(), listener()];
    await hub.listen({ ...STAFF, customerId: CUSTOMER }, customer.line, undefined);
    await hub.listen(STAFF, staff.line, undefined);
    const [own, other] = [ordered(house), ordered(house, NEIGHBOUR)];
    await house.test.hear([placed(own), placed(other), moved(own, 'waiting', 'ready')]);
    await house.test.hear([made(house, 3), held(house, 2)]);
    hub.wake();
    await vi.waitFor(() => expect(staff.heard).toHaveLength(5), SOON);
    expect(typesOf(customer).slice(1)).toEqual(['order-placed placed', 'order-status-changed ready']);
    expect(customer.heard.slice(1).every(({ data }) => data['orderId'] === own.orderId)).toBe(true);
    expect(typesOf(staff).at(-1)).toBe('stock-changed 1');
    hub.close();
    expect([customer.end.destroyed, staff.end.destroyed]).toEqual([true, true]);
  });

  test('given somebody who comes back to any place, when they name what they heard last, then they get the rest, once', async () => {
    const { hub } = openHub();
    const before = listener();
    await hub.listen(STAFF, before.line, undefined);
    const order = ordered(house);
    await house.test.hear([
      placed(order),
      moved(order, 'waiting', 'preparation'),
      moved(order, 'preparation', 'ready'),
    ]);
    await house.test.hear([moved(order, 'ready', 'delivered')]);
    hub.wake();
    await vi.waitFor(() => expect(before.heard).toHaveLength(5), SOON);
    // By the memory of this hub, by the table for a new one, and while more is said.
    const fresh = openHub().hub;
    for (const [index, { id }] of before.heard.entries()) {
      for (const again of [hub, fresh]) {
        const back = listener();
        await again.listen(STAFF, back.line, place(id));
        expect(back.heard.map((one) => one.id)).toEqual(before.heard.slice(index + 1).map((one) => one.id));
      }
    }
  });

  test('given somebody who was away for too long, when they come back, then they are told to begin anew', async () => {
    const order = ordered(house);
    await house.test.hear([placed(order)]);
    await house.test.hear([moved(order, 'waiting', 'ready')]);
    const [row] = await house.test.sql<{ head: string }>('SELECT number AS head FROM notifications.live_head');
    await house.test.sql('DELETE FROM notifications.live_sets WHERE number < $1', [row?.head]);
    const { hub } = openHub();
    for (const from of [place('1'), place(`${Number(row?.head) + 50}`)]) {
      const back = listener();
      await hub.listen(STAFF, back.line, from);
      expect(back.heard.map(({ event }) => event)).toEqual(['reset']);
    }
  });

  test('given a thousand listeners, when much is said, then all hear all of it and the database is asked as for one', async () => {
    const { hub, questions } = openHub();
    const all = Array.from({ length: LISTENERS }, () => listener());
    await Promise.all(all.map(({ line }) => hub.listen(STAFF, line, undefined)));
    expect(hub.listenerCount()).toBe(LISTENERS);
    const order = ordered(house);
    await house.test.hear([placed(order), moved(order, 'waiting', 'ready')]);
    hub.wake();
    await vi.waitFor(() => expect(all.every(({ heard }) => heard.length === 3)).toBe(true), SOON);
    expect(questions()).toBeLessThan(LISTENERS / 10);
  });

  test('given a listener who does not read, when much is said, then that one is dropped and the others hear on', async () => {
    const { hub } = openHub();
    const [slow, quick] = [listener(false), listener()];
    await hub.listen(STAFF, slow.line, undefined);
    await hub.listen(STAFF, quick.line, undefined);
    for (let round = 0; round < 6; round += 1) {
      await house.test.hear(Array.from({ length: 400 }, () => placed(ordered(house, randomUUID()))));
      hub.wake();
    }
    await vi.waitFor(() => expect(quick.heard.length).toBe(2_401), SOON);
    expect(slow.end.destroyed).toBe(true);
  });

  test('given that nobody listens, when time goes by, then the database is not asked', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const { hub, questions } = openHub();
    const { leave } = await hub.listen(STAFF, listener().line, undefined);
    const begun = questions();
    vi.advanceTimersByTime(LOOK_MILLISECONDS);
    expect(questions(), 'with a listener it is asked').toBeGreaterThan(begun);
    leave();
    const before = questions();
    hub.wake();
    vi.advanceTimersByTime(10 * LOOK_MILLISECONDS);
    expect(questions()).toBe(before);
  });

  test('given staff who are demoted while they listen, when more is said, then they hear only their own', async () => {
    const { hub } = openHub();
    const staff = listener();
    const { hearAs, leave } = await hub.listen(STAFF, staff.line, undefined);
    const [own, other] = [ordered(house), ordered(house, NEIGHBOUR)];
    hearAs({ ...STAFF, customerId: CUSTOMER });
    await house.test.hear([placed(other), placed(own)]);
    hub.wake();
    await vi.waitFor(() => expect(staff.heard).toHaveLength(2), SOON);
    expect(staff.heard[1]?.data['orderId']).toBe(own.orderId);
    leave();
    expect(hub.listenerCount()).toBe(0);
    hearAs(STAFF);
    expect(hub.listenerCount(), 'whoever has left does not come back so').toBe(0);
  });

  test('given a line that has ended but not closed, when something is said, then nobody writes to it', async () => {
    const { hub } = openHub();
    const [ended, other] = [listener(), listener()];
    const line = { ...ended.line, drained: ended.line.drained, destroyed: false, writableEnded: false };
    await hub.listen(STAFF, line, undefined);
    await hub.listen(STAFF, other.line, undefined);
    line.writableEnded = true;
    await house.test.hear([placed(ordered(house))]);
    hub.wake();
    await vi.waitFor(() => expect(other.heard).toHaveLength(2), SOON);
    expect(ended.heard).toHaveLength(1);
  });
});
