import { describe, expect, test, vi } from 'vitest';
import { type Consumer, type Subscription } from '../../src/index.ts';
import type { Process } from '../contract-world.ts';
import { registered } from '../toy-context.ts';
import { consumedAll, numbered, underTest, WAIT, world } from './under-test.ts';

describe(`${underTest().name}: what a subscription gives`, () => {
  const TYPE = 'identity.user-registered.v1';

  async function subscribed(process: Process, wake: () => void = () => {}): Promise<Subscription> {
    const consumer: Consumer = {
      context: 'catalog',
      wanted: new Map([['identity', new Set([TYPE])]]),
      query: world().db,
      wake,
    };
    return process.transport.subscribe(consumer);
  }

  async function drain(subscription: Subscription, after: number, eventsMax: number) {
    const position = { now: after };
    const subjects: string[] = [];
    for (let turns = 0; turns < 1_000; turns += 1) {
      const cursors = new Map(
        subscription.partitions().map(({ source, partition }) => [`${source}/${partition}`, position.now] as const),
      );
      const [delivery] = await subscription.fetch(cursors, eventsMax, true);
      if (delivery === undefined) return { subjects, position: position.now };
      expect(delivery.events.length).toBeLessThanOrEqual(eventsMax);
      for (const event of delivery.events) {
        expect(event.position).toBeGreaterThan(position.now);
        expect(event.position).toBeLessThanOrEqual(delivery.upTo);
        subjects.push(event.subject);
      }
      position.now = delivery.upTo;
    }
    throw new Error('It never ends');
  }

  test('given wanted and unwanted events, when fetched, then the wanted come in order and the cursor passes all', async () => {
    const one = world().process();
    const subjects = numbered('person', 30);
    for (const subject of subjects) {
      const { key } = registered(subject);
      const unwanted = { type: 'identity.roles-changed.v1', key, subject, data: { userId: key, roles: [] } } as const;
      await one.say([unwanted, registered(subject), unwanted]);
    }
    const subscription = await subscribed(one);

    for (const eventsMax of [1, 7, 200]) {
      expect(await drain(subscription, 0, eventsMax)).toEqual({ subjects, position: 90 });
    }
    expect(await drain(subscription, 45, 200)).toEqual({ subjects: subjects.slice(15), position: 90 });
    await subscription.close();
  });

  test('given an event, when fetched, then it comes whole', async () => {
    const one = world().process();
    const event = registered('ann');
    await one.say([event]);
    const again = world().process();
    for (const process of [one, again]) {
      const subscription = await subscribed(process);
      const [delivery] = await subscription.fetch(new Map([['identity/0', 0]]), 10, true);

      expect(delivery?.events).toEqual([
        {
          ...event,
          source: 'identity',
          position: 1,
          id: expect.stringMatching(/^[0-9a-f-]{36}$/),
          time: '2026-11-21T08:00:00.000Z',
        },
      ]);
    }
  });

  test('given a commit of another process, when announced, then the consumer is woken', async () => {
    const [one, two] = [world().process(), world().process()];
    const wake = vi.fn<() => void>();
    await subscribed(one, wake);
    // The first announcements may come before the listener is connected.
    await vi.waitFor(async () => {
      await two.say([registered('ann')]);
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(wake).toHaveBeenCalled();
    }, WAIT);
  });

  test('given a commit that is announced to nobody, when the poll comes round, then it is found', async () => {
    const deaf = world().process({ listens: false });
    await deaf.consume();
    await deaf.say([registered('ann')]);
    await consumedAll();
    await world()
      .process({ listens: false })
      .say([registered('bob')]);
    await consumedAll();

    expect(await world().greeted()).toEqual(['ann', 'bob']);
  });

  test('given a loop that is always busy, when another log moves unannounced, then it is found all the same', async () => {
    const deaf = world().process({ listens: false });
    const { reactor } = await deaf.consume();
    await deaf.say([registered('ann')]);
    await consumedAll();
    await world()
      .process({ listens: false })
      .say([registered('bob')]);
    await vi.waitFor(
      async () => {
        reactor.wake();
        expect(await world().greeted()).toEqual(['ann', 'bob']);
      },
      { timeout: 10_000, interval: 5 },
    );
  });
});
