import { describe, expect, test } from 'vitest';
import { registered } from '../toy-context.ts';
import { consumedAll, numbered, underTest, world } from './under-test.ts';

describe(`${underTest().name}: several consumers`, () => {
  test('given two processes of one context, when events come, then one consumes, and the other takes over', async () => {
    const [one, two] = [world().process(), world().process()];
    const handled: string[] = [];
    const first = await one.consume({ meet: () => void handled.push('first') });
    await one.say([registered('ann')]);
    await consumedAll();
    await two.consume({ meet: () => void handled.push('second') });
    await two.say(numbered('person', 20).map(registered));
    await consumedAll();
    expect(new Set(handled)).toEqual(new Set(['first']));

    await first.stop();
    await two.say([registered('zoe')]);
    await consumedAll();
    expect(handled.at(-1)).toBe('second');
    expect(await world().greeted()).toEqual(['ann', ...numbered('person', 20), 'zoe']);
  });

  test('given a zombie that believes to be the only one, when it commits late, then it is refused', async () => {
    const one = world().process();
    const stuck = Promise.withResolvers<void>();
    const met = Promise.withResolvers<void>();
    let isZombie = true;
    const zombie = await one.consume({
      async meet() {
        if (!isZombie) return;
        met.resolve();
        await stuck.promise;
        isZombie = false;
      },
    });
    await one.say([registered('ann'), registered('bob')]);
    await met.promise;
    // Its lock is given to another, as after a network that was cut for a while.
    const usurper = await world().process({ believes: true }).consume();
    await consumedAll();
    stuck.resolve();
    await one.say([registered('eve')]);
    await consumedAll();
    await Promise.all([zombie.stop(), usurper.stop()]);

    expect(await world().greeted()).toEqual(['ann', 'bob', 'eve']);
    expect(await world().answered()).toEqual(['ann', 'bob', 'eve']);
  });

  test('given three that all believe to be the only one, when many events come, then each takes effect once', async () => {
    const processes = Array.from({ length: 3 }, () => world().process({ believes: true }));
    for (const process of processes) await process.consume();
    const subjects = numbered('person', 300);
    for (const subject of subjects) await processes[0]?.say([registered(subject)]);
    await consumedAll();

    expect(await world().greeted()).toEqual(subjects);
    expect(await world().answered()).toEqual(subjects);
  });
});
