import { describe, expect, test, vi } from 'vitest';
import { dropParked, listParked, retryParked } from '../../src/index.ts';
import { registered } from '../toy-context.ts';
import { consumedAll, numbered, underTest, WAIT, world } from './under-test.ts';

describe(`${underTest().name}: a poisoned event`, () => {
  const inHouse = (subject: string) => ({ ...registered(subject), key: 'house' });
  let poisoned = new Set<string>();
  const meet = (event: { readonly data: unknown; readonly subject: string; readonly position: number }) => {
    if (poisoned.has(`${event.subject} ${event.position}`)) throw new Error(`${event.subject} cannot be met`);
  };

  test('given 200 events of which one is poisoned, then only its subject waits, and soon', async () => {
    poisoned = new Set(['person-0123 124']);
    let meetings = 0;
    const one = world().process();
    await one.say(numbered('person', 200).map(inHouse));
    await one.consume({
      meet(event) {
        meetings += 1;
        meet(event);
      },
    });
    await consumedAll();

    expect(await world().greeted()).toEqual(numbered('person', 200).filter((subject) => subject !== 'person-0123'));
    expect(await listParked(world().db)).toMatchObject(
      [{ source: 'identity', position: 124, subject: 'person-0123', attempts: 1, error: /cannot be met/ }].map(
        (row) => ({ ...row, error: expect.stringMatching(row.error) }),
      ),
    );
    expect(meetings).toBeLessThan(800);
  });

  test('given a poisoned event, then later ones of its subject wait and a retry runs them in order', async () => {
    poisoned = new Set(['ann 2']);
    const one = world().process();
    await one.consume({ meet });
    await one.say(['bob', 'ann', 'ann', 'bob'].map(inHouse));
    await consumedAll();
    await one.say(['ann', 'eve', 'ann', 'bob'].map(inHouse));
    await consumedAll();
    expect(await world().greeted()).toEqual(['bob', 'bob', 'eve', 'bob']);
    const parked = await listParked(world().db);
    const shown = parked.map(({ position, error }) => [position, error !== null] as const);
    expect(shown.toSorted(([left], [right]) => left - right)).toEqual([
      [2, true],
      [3, false],
      [5, false],
      [7, false],
    ]);
    const id = parked.find(({ position }) => position === 2)?.id ?? '';

    await expect(
      retryParked(
        world().db,
        {
          'identity.user-registered.v1': async () => {
            throw new Error('still');
          },
        },
        id,
      ),
    ).rejects.toThrow('still');
    expect((await listParked(world().db)).find((row) => row.id === id)).toMatchObject({
      attempts: 2,
      error: 'Error: still',
    });
    expect(await retryParked(world().db, world().reactions, id)).toBe(4);
    expect(await listParked(world().db)).toEqual([]);
    expect(await positionsOf('ann')).toEqual([2, 3, 5, 7]);

    poisoned = new Set();
    await one.say(['ann'].map(inHouse));
    await consumedAll();
    expect(await positionsOf('ann')).toEqual([2, 3, 5, 7, 9]);
    expect(await listParked(world().db)).toEqual([]);
    expect(await world().answered()).toHaveLength(9);
  });

  test('given a poisoned event that is dropped, then those behind it run and it never does', async () => {
    poisoned = new Set(['ann 1']);
    const one = world().process();
    await one.consume({ meet });
    await one.say(['ann', 'ann', 'bob', 'ann'].map(inHouse));
    await consumedAll();
    const parked = await listParked(world().db);
    const id = parked.find(({ position }) => position === 1)?.id ?? '';

    expect(await dropParked(world().db, world().reactions, id)).toBe(3);
    expect(await dropParked(world().db, world().reactions, id)).toBeUndefined();
    await one.say(['ann'].map(inHouse));
    await consumedAll();
    expect(await positionsOf('ann')).toEqual([2, 4, 5]);
  });

  test('given a parked subject, when the consumer is started from scratch, then it still waits', async () => {
    poisoned = new Set(['ann 1']);
    const one = world().process();
    const first = await one.consume({ meet });
    await one.say([inHouse('ann')]);
    await consumedAll();
    await first.stop();
    await world().process().consume();
    await one.say(['ann', 'bob'].map(inHouse));
    await consumedAll();

    expect(await world().greeted()).toEqual(['bob']);
    expect(await listParked(world().db)).toHaveLength(2);
  });

  test('given events that keep coming while an operator retries, then the order of the subject holds', async () => {
    poisoned = new Set(['ann 1']);
    const one = world().process();
    await one.consume({ meet });
    await one.say([inHouse('ann')]);
    await consumedAll();
    const [first] = await listParked(world().db);
    poisoned = new Set();
    const talk = (async () => {
      for (let count = 0; count < 60; count += 1) await one.say([inHouse('ann')]);
    })();
    await vi.waitFor(async () => expect((await listParked(world().db)).length).toBeGreaterThan(5), WAIT);
    // What was parked while the first ones ran comes last; an operator repeats until nothing waits.
    for (let rounds = 0; rounds < 100; rounds += 1) {
      const oldest = (await listParked(world().db)).at(-1);
      if (oldest === undefined) break;
      await retryParked(world().db, world().reactions, oldest.id);
    }
    await talk;
    await consumedAll();
    await vi.waitFor(async () => {
      for (const { id } of await listParked(world().db)) await retryParked(world().db, world().reactions, id);
      expect(await positionsOf('ann')).toHaveLength(61);
    }, WAIT);

    expect(first?.position).toBe(1);
    expect(await positionsOf('ann')).toEqual(Array.from({ length: 61 }, (_, index) => index + 1));
  });

  async function positionsOf(subject: string): Promise<number[]> {
    const text = 'SELECT position FROM catalog.greetings WHERE subject = $1 ORDER BY ordinal';
    return (await world().sql<{ position: string }>(text, [subject])).map((row) => Number(row.position));
  }
});
