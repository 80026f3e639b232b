import { describe, expect, test } from 'vitest';
import { headersOf } from '../../src/kafka/envelope.ts';
import { type Gap, openFeed, type PlacedRecord } from '../../src/kafka/partition-feed.ts';

const WANTED = 'identity.user-registered.v1';
const OTHER = 'identity.roles-changed.v1';

type Sent = { readonly offset: number; readonly position: number; readonly after: number; readonly type?: string };

function sent({ offset, position, after, type = WANTED }: Sent, begins = false): PlacedRecord {
  const event = {
    ...{ type, key: 'k', subject: `s-${position}`, data: '{"x":1}', source: 'identity' as const, position },
    ...{ id: '01900000-0000-7000-8000-000000000001', time: '2026-11-21T08:00:00.000Z' },
  };
  const headers = [...headersOf(event, { position, after, begins })];
  return { offset: BigInt(offset), record: { key: Buffer.from('k'), value: Buffer.from(event.data), headers } };
}

function open() {
  const gaps: (Gap | undefined)[] = [];
  const feed = openFeed({
    ...{ source: 'identity', partition: 3, wanted: new Set([WANTED]) },
    onGap: (gap) => gaps.push(gap),
    onForeign: () => {},
  });
  return { feed, gaps };
}

/** Positions that are there to take. */
function taken(feed: ReturnType<typeof openFeed>, cursor: number, eventsMax = 100) {
  const delivery = feed.take(cursor, eventsMax);
  return delivery && { positions: delivery.events.map(({ position }) => position), upTo: delivery.upTo };
}

describe('a partition as its consumer reads it', () => {
  test('given nobody who has said where he stands, then nothing is sought', () => {
    const { feed } = open();
    expect(feed.seek()).toBeUndefined();
    feed.standsAt(0);
    expect(feed.seek()).toBe('committed');
  });

  test('given records that follow each other, then the wanted are taken and the others passed', () => {
    const { feed } = open();
    feed.standsAt(0);
    feed.receive([
      sent({ offset: 0, position: 2, after: 0 }),
      sent({ offset: 1, position: 5, after: 2, type: OTHER }),
      sent({ offset: 2, position: 6, after: 5, type: OTHER }),
      sent({ offset: 3, position: 9, after: 6 }),
    ]);
    expect(taken(feed, 0)).toEqual({ positions: [2, 9], upTo: 9 });
    expect(taken(feed, 0, 1)).toEqual({ positions: [2], upTo: 6 });
    expect(taken(feed, 9)).toBeUndefined();
    expect(feed.seek()).toBe(4n);
  });

  test('given what was consumed, then its offset may be noted, and no more', () => {
    const { feed } = open();
    feed.standsAt(0);
    feed.receive([sent({ offset: 0, position: 2, after: 0 }), sent({ offset: 1, position: 9, after: 2 })]);
    expect(feed.consumed(1)).toBeUndefined();
    expect(feed.consumed(2)).toBe(1n);
    expect(taken(feed, 2)).toEqual({ positions: [9], upTo: 9 });
    expect(feed.consumed(9)).toBe(2n);
  });

  test('given what was there before, when it comes again, then it is passed over', () => {
    const { feed, gaps } = open();
    feed.standsAt(5);
    feed.receive([
      sent({ offset: 7, position: 2, after: 0 }),
      sent({ offset: 8, position: 5, after: 2 }),
      sent({ offset: 9, position: 6, after: 5 }),
      sent({ offset: 10, position: 2, after: 0 }),
      sent({ offset: 11, position: 6, after: 5 }),
      sent({ offset: 12, position: 8, after: 6 }),
    ]);
    expect(taken(feed, 5)).toEqual({ positions: [6, 8], upTo: 8 });
    expect(gaps).toEqual([]);
  });

  test('given a gap, then the topic is read from its beginning, and only then something is missing', () => {
    const { feed, gaps } = open();
    feed.standsAt(5);
    feed.receive([sent({ offset: 70, position: 9, after: 7 })]);
    expect([feed.seek(), gaps, taken(feed, 5)]).toEqual(['earliest', [], undefined]);

    feed.receive([sent({ offset: 0, position: 9, after: 7 }), sent({ offset: 1, position: 10, after: 9 })]);
    expect(gaps).toEqual([{ reached: 5, after: 7, next: 9 }]);
    expect(taken(feed, 5)).toBeUndefined();

    // Carried again.
    feed.receive([
      sent({ offset: 2, position: 7, after: 5 }),
      sent({ offset: 3, position: 9, after: 7 }),
      sent({ offset: 4, position: 10, after: 9 }),
    ]);
    expect(gaps.at(-1)).toBeUndefined();
    expect(taken(feed, 5)).toEqual({ positions: [7, 9, 10], upTo: 10 });
  });

  test('given a log that begins somewhere, then only who has had nothing begins there', () => {
    const [fresh, late] = [open(), open()];
    for (const [{ feed }, cursor] of [[fresh, 0] as const, [late, 5] as const]) {
      feed.standsAt(cursor);
      feed.seekTo('earliest');
      feed.receive([sent({ offset: 0, position: 101, after: 99 }, true)]);
    }
    expect(taken(fresh.feed, 0)).toEqual({ positions: [101], upTo: 101 });
    expect(late.gaps).toEqual([{ reached: 5, after: 99, next: 101 }]);
  });

  test('given a cursor that was set back, then the topic is read again; one set on, then what is here is passed', () => {
    const { feed } = open();
    feed.standsAt(0);
    feed.receive([sent({ offset: 0, position: 2, after: 0 }), sent({ offset: 1, position: 9, after: 2 })]);
    feed.consumed(2);
    feed.standsAt(1);
    expect([feed.seek(), taken(feed, 1)]).toEqual(['earliest', undefined]);
    feed.receive([sent({ offset: 0, position: 2, after: 0 }), sent({ offset: 1, position: 9, after: 2 })]);
    expect(taken(feed, 1)).toEqual({ positions: [2, 9], upTo: 9 });
    feed.standsAt(20);
    expect(taken(feed, 20)).toBeUndefined();
    feed.receive([sent({ offset: 2, position: 15, after: 9 }), sent({ offset: 3, position: 21, after: 15 })]);
    expect(taken(feed, 20)).toEqual({ positions: [21], upTo: 21 });
  });

  test('given a consumer that does not keep up, then no more is read until it has consumed', () => {
    const { feed } = open();
    feed.standsAt(0);
    for (let position = 1; !feed.isFull(); position += 1)
      feed.receive([sent({ offset: position, position, after: position - 1 })]);
    expect(taken(feed, 0, 10_000)?.positions).toHaveLength(2_000);
    feed.consumed(1);
    expect(feed.isFull()).toBe(false);
  });
});
