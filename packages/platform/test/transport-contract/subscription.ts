import type { Said } from '@provender/contracts';
import { describe, expect, test, vi } from 'vitest';
import { type Consumer, cursorKey, type Delivery, type Subscription } from '../../src/index.ts';
import type { Process } from '../contract-world.ts';
import { registered } from '../toy-context.ts';
import { consumedAll, numbered, underTest, WAIT, world } from './under-test.ts';

const TURNS_MAX = 10_000;

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

  /** Fetches from a position up to another one; only the first look is a thorough one. */
  async function drain(subscription: Subscription, after: number, upTo: number, eventsMax: number) {
    const subjects: string[] = [];
    let position = after;
    for (let turns = 0; position < upTo; turns += 1) {
      if (turns > TURNS_MAX) throw new Error(`It never comes further than ${position}`);
      const delivery = await fetched(subscription, position, eventsMax, turns === 0);
      expect(delivery.events.length).toBeLessThanOrEqual(eventsMax);
      for (const event of delivery.events) {
        expect(event.position).toBeGreaterThan(position);
        expect(event.position).toBeLessThanOrEqual(delivery.upTo);
        subjects.push(event.subject);
      }
      position = delivery.upTo;
    }
    return { subjects, position };
  }

  async function fetchAfter(subscription: Subscription, position: number, eventsMax: number, thorough: boolean) {
    const keys = subscription
      .partitions()
      .map(({ source, partition }) => [cursorKey(source, partition), position] as const);
    const [delivery] = await subscription.fetch(new Map(keys), eventsMax, thorough);
    return delivery;
  }

  /** Waits for it: what is carried from elsewhere comes in its own time. */
  async function fetched(subscription: Subscription, position: number, eventsMax: number, thorough: boolean) {
    let found: Delivery | undefined;
    let isThorough = thorough;
    await vi.waitFor(async () => {
      found = await fetchAfter(subscription, position, eventsMax, isThorough);
      isThorough = false;
      expect(found).toBeDefined();
    }, WAIT);
    if (found === undefined) throw new Error('It was there a moment ago');
    return found;
  }

  test('given wanted and unwanted events, when fetched, then the wanted come in order and the cursor passes all', async () => {
    const one = world().process();
    const subjects = numbered('person', 30);
    for (const subject of subjects) {
      const { key } = registered(subject);
      const unwanted: Said = { type: 'identity.roles-changed.v1', key, subject, data: { userId: key, roles: [] } };
      await one.say([unwanted, registered(subject), unwanted]);
    }

    // One process has just written them, the other finds them in the log.
    for (const process of [one, world().process()]) {
      const subscription = await subscribed(process);
      for (const eventsMax of [1, 7, 200]) {
        expect(await drain(subscription, 0, 90, eventsMax)).toEqual({ subjects, position: 90 });
      }
      expect(await drain(subscription, 45, 90, 200)).toEqual({ subjects: subjects.slice(15), position: 90 });
      await subscription.close();
    }
  });

  test('given two processes that write in turn, when one hears of its own only, then it gets all the same', async () => {
    const [deaf, other] = [world().process({ listens: false }), world().process({ listens: false })];
    const subscription = await subscribed(deaf);
    await deaf.say([registered('person-0000')]);
    expect(await drain(subscription, 0, 1, 200)).toMatchObject({ position: 1 });
    const subjects = numbered('person', 21).slice(1);
    const heard: string[] = [];
    for (const [index, subject] of subjects.entries()) {
      await (index % 2 === 0 ? other : deaf).say([registered(subject)]);
      if (index % 2 === 0) continue;
      await vi.waitFor(async () => {
        const delivery = await fetchAfter(subscription, 1 + heard.length, 200, false);
        heard.push(...(delivery?.events ?? []).map((event) => event.subject));
        expect(heard).toEqual(subjects.slice(0, index + 1));
      }, WAIT);
    }
  });

  test('given an event, when fetched, then it comes whole', async () => {
    const one = world().process();
    const event = registered('ann');
    await one.say([event]);
    const again = world().process();
    for (const process of [one, again]) {
      const subscription = await subscribed(process);
      const delivery = await fetched(subscription, 0, 10, true);

      expect(delivery.events).toEqual([
        {
          ...event,
          source: 'identity',
          position: 1,
          id: expect.stringMatching(/^[0-9a-f-]{36}$/),
          time: '2026-11-21T08:00:00.000Z',
        },
      ]);
      await subscription.close();
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
