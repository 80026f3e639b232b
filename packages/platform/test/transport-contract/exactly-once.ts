import { describe, expect, test } from 'vitest';
import { listParked } from '../../src/index.ts';
import { connectionLost, failpoints } from '../failpoints.ts';
import { registered } from '../toy-context.ts';
import { consumedAll, numbered, underTest, world } from './under-test.ts';

const STEPS_MAX = 60;

describe(`${underTest().name}: exactly once`, () => {
  async function afterEachStep(act: (step: string) => void | Promise<void>): Promise<string[]> {
    const failedAt: string[] = [];
    const expected: string[] = [];
    const one = world().process();
    for (let failAt = 0; failAt < STEPS_MAX; failAt += 1) {
      let failed = false;
      const points = failpoints(failAt, async (step) => {
        failed = true;
        failedAt.push(step);
        await act(step);
      });
      const consuming = await one.consume({ wrap: points.wrap });
      const subjects = numbered(`round-${failAt}`, 3);
      expected.push(...subjects);
      await one.say(subjects.map(registered));
      await consumedAll();
      await consuming.stop();
      expect(await world().greeted()).toEqual(expected);
      expect(await world().answered()).toEqual(expected);
      if (!failed) return failedAt;
    }
    throw new Error('A set has more steps than this test thought');
  }

  const STEPS = [
    ...['before begin', 'before add-cursors', 'after add-cursors', 'after commit'],
    ...['before begin', 'before greet', 'after greet'],
    ...['before platform-append-events', 'after platform-append-events', 'after commit'],
  ];

  test('given a database that seems lost at any step, then each event takes effect once', async () => {
    const steps = await afterEachStep(() => {
      throw connectionLost();
    });
    expect(steps).toEqual(STEPS);
    expect(await listParked(world().db)).toEqual([]);
  }, 60_000);

  test('given a connection that is killed at any step, then each event takes effect once', async () => {
    const steps = await afterEachStep(() => world().killConsumers());
    expect(steps).toEqual(STEPS);
  }, 60_000);

  test('given a bug that strikes once at any step, then each event takes effect once and nothing is parked', async () => {
    await afterEachStep((step) => {
      if (step !== 'after commit') throw new Error('A bug that is gone the next time');
    });
    expect(await listParked(world().db)).toEqual([]);
  }, 60_000);

  test('given a consumer that is killed and started from scratch again and again, then nothing is lost or doubled', async () => {
    const one = world().process();
    const subjects = numbered('person', 400);
    let consuming = await one.consume();
    for (const [index, subject] of subjects.entries()) {
      await one.say([registered(subject)]);
      if (index % 50 !== 49) continue;
      await world().killConsumers();
      await consuming.stop();
      consuming = await one.consume();
    }
    await consumedAll();

    expect(await world().greeted()).toEqual(subjects);
    expect(await world().answered()).toEqual(subjects);
  });

  test('given the cursor set back to zero and the tables emptied, when replayed, then they are equal', async () => {
    const table = () => world().sql('SELECT subject, position, text FROM catalog.greetings ORDER BY position');
    const one = world().process();
    const first = await one.consume();
    for (const subject of numbered('person', 230)) await one.say([registered(subject)]);
    await consumedAll();
    await first.stop();
    const before = await table();
    await world().sql("TRUNCATE catalog.greetings; UPDATE catalog.cursors SET position = 0 WHERE source = 'identity'");
    await world().process().consume();
    await consumedAll();

    expect(before).toHaveLength(230);
    expect(await table()).toEqual(before);
  });
});
