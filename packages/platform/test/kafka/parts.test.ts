import { describe, expect, test } from 'vitest';
import { eventOf, headersOf, linkOf } from '../../src/kafka/envelope.ts';
import { murmur2, openPartitioner } from '../../src/kafka/partitions.ts';
import { relayChain } from '../../src/kafka/relay-chain.ts';
import type { RelayStore } from '../../src/kafka/relay-store.ts';
import { ownedAsMetadata, stickyAssigner } from '../../src/kafka/sticky-assigner.ts';

describe('partitions of keys', () => {
  test.each([
    ['21', -973_932_308],
    ['foobar', -790_332_482],
    ['a-little-bit-long-string', -985_981_536],
    ['a-little-bit-longer-string', -1_486_304_829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58_897_971],
    ['abc', 479_470_107],
  ])('given %s, then its hash is that of Kafka’s own client', (key, hash) => {
    expect(murmur2(Buffer.from(key))).toBe(hash);
  });
});

describe('the envelope of a record', () => {
  const event = {
    ...{ type: 'identity.user-registered.v1', key: 'k', subject: 'ann', source: 'identity' as const, position: 7 },
    ...{ id: '01900000-0000-7000-8000-000000000001', time: '2026-11-21T08:00:00.000Z', traceparent: '00-aa-bb-01' },
  };
  const record = (data: string, change = (headers: [Buffer, Buffer][]) => headers) => ({
    key: Buffer.from('k'),
    value: Buffer.from(data),
    headers: change([...headersOf({ ...event, data }, { position: 7, after: 3, begins: false })]),
  });

  test('given an event, then it comes back whole, whatever order its headers have', () => {
    for (const headers of [record('{"a":[1]}'), record('{"a":[1]}', (all) => all.toReversed())]) {
      expect(linkOf(headers)).toEqual({ position: 7, after: 3, begins: false });
      expect(eventOf('identity', 7, headers)).toEqual({ ...event, data: { a: [1] } });
    }
  });

  test('given data that are no JSON, then the event is one that nobody knows, with the raw text', () => {
    expect(eventOf('identity', 7, record('{"a":\0'))).toMatchObject({
      type: expect.stringMatching(/^identity.user-registered.v1, which cannot be read: SyntaxError/),
      subject: 'ann',
      data: '{"a":',
      id: event.id,
    });
  });

  test('given a record without a subject or an id, then it is one that nobody knows, about its key', () => {
    const bare = record('{}', (all) => all.filter(([name]) => !/ce_(id|subject)/.test(name.toString())));
    expect(eventOf('identity', 7, bare)).toMatchObject({
      type: expect.stringContaining('its envelope is not complete'),
      subject: 'k',
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  test.each(['', '-1', '1.5', '7x', '99999999999999999'])(
    'given the position %j, then it is no record of ours',
    (text) => {
      const foreign = record('{}', ([first, ...others]) => [[first?.[0] ?? Buffer.of(), Buffer.from(text)], ...others]);
      expect(linkOf(foreign)).toBeUndefined();
    },
  );
});

describe('sharing partitions out', () => {
  const topics = new Set(['orders', 'bank']);
  // Only the counts of the metadata are looked at.
  const metadata = { topics: new Map([...topics].map((topic) => [topic, { partitionsCount: 12 }])) } as never;

  type Shares = Record<string, Record<string, number[]>>;

  function share(owned: Shares): Shares {
    const members = new Map(
      Object.entries(owned).map(([memberId, topicsOfOne]) => {
        const assignments = Object.entries(topicsOfOne).map(([topic, partitions]) => ({ topic, partitions }));
        return [memberId, { memberId, version: 1, metadata: ownedAsMetadata(assignments) }];
      }),
    );
    return Object.fromEntries(
      stickyAssigner('one', members, topics, metadata).map(({ memberId, assignments }) => [
        memberId,
        Object.fromEntries(
          [...assignments].map(([topic, { partitions }]) => [topic, partitions.toSorted((a, b) => a - b)]),
        ),
      ]),
    );
  }

  const sizes = (shares: Shares) =>
    Object.values(shares).map((each) => Object.values(each).map((partitions) => partitions.length));

  test('given members that come, then each topic is shared evenly and nobody gets what another keeps', () => {
    const alone = share({ one: {} });
    expect(sizes(alone)).toEqual([[12, 12]]);
    const both = share({ ...alone, two: {} });
    expect(sizes(both)).toEqual([
      [6, 6],
      [6, 6],
    ]);
    const three = share({ ...both, three: {} });
    expect(sizes(three)).toEqual([
      [4, 4],
      [4, 4],
      [4, 4],
    ]);
    for (const member of ['one', 'two'])
      for (const topic of topics)
        expect(both[member]?.[topic]).toEqual(expect.arrayContaining(three[member]?.[topic] ?? []));
  });

  test('given a member that goes, then the others keep what they have and share the rest', () => {
    const three = share({ one: {}, two: {}, three: {} });
    const { three: _gone, ...left } = three;
    const after = share(left);
    for (const member of ['one', 'two'])
      for (const topic of topics)
        expect(after[member]?.[topic]).toEqual(expect.arrayContaining(three[member]?.[topic] ?? []));
    for (const topic of topics)
      expect([...(after['one']?.[topic] ?? []), ...(after['two']?.[topic] ?? [])]).toHaveLength(12);
  });

  test('given two that both believe to own the same, then each partition has one member', () => {
    const shares = share({
      one: { orders: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] },
      two: { orders: [0, 1, 2, 77, -1] },
    });
    const all = [...(shares['one']?.['orders'] ?? []), ...(shares['two']?.['orders'] ?? [])];
    expect(all.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });
});

describe('the chain of a relay', () => {
  const COUNT = 3;
  const partitionOf = openPartitioner(COUNT);

  /** A log of so many events whose keys are their positions, of which the first were trimmed. */
  function storeOf(head: number, trimmed = 0): RelayStore {
    return {
      ends: async () => [],
      keysBack: async (from: number, eventsMax: number) =>
        Array.from({ length: Math.min(eventsMax, Math.max(0, Math.min(from, head) - trimmed)) }, (_, index) => {
          const position = Math.min(from, head) - index;
          return { position, key: String(position) };
        }),
      // Nothing else of it is used.
    } as unknown as RelayStore;
  }

  const chainAt = (position: number, store: RelayStore) =>
    relayChain(store, { epoch: 1, position }, COUNT, async () => true);

  test('given a log that was never carried, then each partition begins with nothing before it', async () => {
    expect(await chainAt(0, storeOf(50))).toEqual(
      [0, 1, 2].map((partition) => ({ partition, position: 0, begins: false, nextOffset: 0 })),
    );
  });

  test('given a relay that was set back, then the links are those of the log', async () => {
    const chain = await chainAt(40, storeOf(50));
    const last = (partition: number) =>
      Math.max(
        ...Array.from({ length: 40 }, (_, index) => index + 1).filter(
          (each) => partitionOf(String(each)) === partition,
        ),
      );
    expect(chain?.map(({ position }) => position)).toEqual([0, 1, 2].map(last));
  });

  test('given a log whose beginning is gone, then its partitions begin there, and say so', async () => {
    expect(await chainAt(30, storeOf(50, 30))).toEqual(
      [0, 1, 2].map((partition) => ({ partition, position: 30, begins: true, nextOffset: 0 })),
    );
  });

  test('given a lease that was lost meanwhile, then nothing is believed', async () => {
    expect(await relayChain(storeOf(50), { epoch: 1, position: 40 }, COUNT, async () => false)).toBeUndefined();
  });
});
