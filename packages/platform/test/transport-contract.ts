import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Consumer, dropParked, listParked, retryParked, type Subscription } from '../src/index.ts';
import { type MakeTransport, openWorld, type Process, type World } from './contract-world.ts';
import { connectionLost, failpoints } from './failpoints.ts';
import { registered, withdrawn } from './toy-context.ts';

const WAIT = { timeout: 10_000, interval: 20 };
const STEPS_MAX = 60;

function numbered(prefix: string, count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${String(from + index).padStart(4, '0')}`);
}

/** What every transport must do, whatever carries the events. `makeTransport` opens one as a process would. */
export function transportContract(name: string, makeTransport: MakeTransport): void {
  let world: World;

  beforeEach(async () => {
    world = await openWorld(makeTransport);
  });
  afterEach(async () => {
    await world.close();
  });

  async function consumedAll(): Promise<void> {
    await vi.waitFor(async () => expect(await world.cursor()).toBe(await world.head('identity')), WAIT);
  }

  describe(`${name}: order`, () => {
    test('given many events in many transactions, when consumed, then each takes effect once and in order', async () => {
      const one = world.process();
      await one.consume();
      const subjects = numbered('person', 500);
      for (let index = 0; index < subjects.length; index += 7) {
        await one.say(subjects.slice(index, index + 7).map(registered));
      }
      await consumedAll();

      expect(await world.greeted()).toEqual(subjects);
      expect(await world.answered()).toEqual(subjects);
    });

    test('given overlapping writers of which some roll back, then positions are gapless and nothing is lost', async () => {
      const [one, two] = [world.process(), world.process()];
      await one.consume();
      const said: string[] = [];
      const writers = numbered('writer', 120).map(async (subject, index) => {
        const events = Array.from({ length: 1 + (index % 4) }, (_, nth) => registered(`${subject}.${nth}`));
        const process = index % 2 === 0 ? one : two;
        try {
          await process.say(events, async () => {
            await new Promise((resolve) => setTimeout(resolve, (index * 7) % 40));
            if (index % 5 === 0) throw new Error('changed my mind');
          });
          said.push(...events.map((event) => event.subject));
        } catch (error) {
          expect(String(error)).toContain('changed my mind');
        }
      });
      await Promise.all(writers);
      await consumedAll();

      const log = await world.sql<{ position: string; subject: string }>(
        'SELECT position, subject FROM identity.outbox ORDER BY position',
      );
      expect(log.map((row) => Number(row.position))).toEqual(said.map((_, index) => index + 1));
      expect(log.map((row) => row.subject).toSorted()).toEqual(said.toSorted());
      expect(await world.greeted()).toEqual(log.map((row) => row.subject));
    });
  });

  describe(`${name}: what a subscription gives`, () => {
    const TYPE = 'identity.user-registered.v1';

    async function subscribed(process: Process, wake: () => void = () => {}): Promise<Subscription> {
      const consumer: Consumer = {
        context: 'catalog',
        wanted: new Map([['identity', new Set([TYPE])]]),
        query: world.db,
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
      const one = world.process();
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
      const one = world.process();
      const event = registered('ann');
      await one.say([event]);
      const again = world.process();
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
      const [one, two] = [world.process(), world.process()];
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
      const deaf = world.process({ listens: false });
      await deaf.consume();
      await deaf.say([registered('ann')]);
      await consumedAll();
      await world.process({ listens: false }).say([registered('bob')]);
      await consumedAll();

      expect(await world.greeted()).toEqual(['ann', 'bob']);
    });

    test('given a loop that is always busy, when another log moves unannounced, then it is found all the same', async () => {
      const deaf = world.process({ listens: false });
      const { reactor } = await deaf.consume();
      await deaf.say([registered('ann')]);
      await consumedAll();
      await world.process({ listens: false }).say([registered('bob')]);
      await vi.waitFor(
        async () => {
          reactor.wake();
          expect(await world.greeted()).toEqual(['ann', 'bob']);
        },
        { timeout: 10_000, interval: 5 },
      );
    });
  });

  describe(`${name}: exactly once`, () => {
    async function afterEachStep(act: (step: string) => void | Promise<void>): Promise<string[]> {
      const failedAt: string[] = [];
      const expected: string[] = [];
      const one = world.process();
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
        expect(await world.greeted()).toEqual(expected);
        expect(await world.answered()).toEqual(expected);
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
      expect(await listParked(world.db)).toEqual([]);
    }, 60_000);

    test('given a connection that is killed at any step, then each event takes effect once', async () => {
      const steps = await afterEachStep(() => world.killConsumers());
      expect(steps).toEqual(STEPS);
    }, 60_000);

    test('given a bug that strikes once at any step, then each event takes effect once and nothing is parked', async () => {
      await afterEachStep((step) => {
        if (step !== 'after commit') throw new Error('A bug that is gone the next time');
      });
      expect(await listParked(world.db)).toEqual([]);
    }, 60_000);

    test('given a consumer that is killed and started from scratch again and again, then nothing is lost or doubled', async () => {
      const one = world.process();
      const subjects = numbered('person', 400);
      let consuming = await one.consume();
      for (const [index, subject] of subjects.entries()) {
        await one.say([registered(subject)]);
        if (index % 50 !== 49) continue;
        await world.killConsumers();
        await consuming.stop();
        consuming = await one.consume();
      }
      await consumedAll();

      expect(await world.greeted()).toEqual(subjects);
      expect(await world.answered()).toEqual(subjects);
    });

    test('given the cursor set back to zero and the tables emptied, when replayed, then they are equal', async () => {
      const table = () => world.sql('SELECT subject, position, text FROM catalog.greetings ORDER BY position');
      const one = world.process();
      const first = await one.consume();
      for (const subject of numbered('person', 230)) await one.say([registered(subject)]);
      await consumedAll();
      await first.stop();
      const before = await table();
      await world.sql("TRUNCATE catalog.greetings; UPDATE catalog.cursors SET position = 0 WHERE source = 'identity'");
      await world.process().consume();
      await consumedAll();

      expect(before).toHaveLength(230);
      expect(await table()).toEqual(before);
    });
  });

  describe(`${name}: several consumers`, () => {
    test('given two processes of one context, when events come, then one consumes, and the other takes over', async () => {
      const [one, two] = [world.process(), world.process()];
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
      expect(await world.greeted()).toEqual(['ann', ...numbered('person', 20), 'zoe']);
    });

    test('given a zombie that believes to be the only one, when it commits late, then it is refused', async () => {
      const one = world.process();
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
      const usurper = await one.consume({ wrap: (db) => believing(db) });
      await consumedAll();
      stuck.resolve();
      await one.say([registered('eve')]);
      await consumedAll();
      await Promise.all([zombie.stop(), usurper.stop()]);

      expect(await world.greeted()).toEqual(['ann', 'bob', 'eve']);
      expect(await world.answered()).toEqual(['ann', 'bob', 'eve']);
    });

    test('given three that all believe to be the only one, when many events come, then each takes effect once', async () => {
      const processes = [world.process(), world.process(), world.process()];
      for (const process of processes) await process.consume({ wrap: (db) => believing(db) });
      const subjects = numbered('person', 300);
      for (const subject of subjects) await processes[0]?.say([registered(subject)]);
      await consumedAll();

      expect(await world.greeted()).toEqual(subjects);
      expect(await world.answered()).toEqual(subjects);
    });

    type Db = Parameters<NonNullable<NonNullable<Parameters<Process['consume']>[0]>['wrap']>>[0];

    /** Thinks that it holds the lock, whoever does. */
    function believing(db: Db): Db {
      return {
        ...db,
        query: (statement, values) =>
          statement.name === 'reactor-try-lock'
            ? Promise.resolve([{ held: true }] as never)
            : db.query(statement, values),
      };
    }
  });

  describe(`${name}: a poisoned event`, () => {
    const inHouse = (subject: string) => ({ ...registered(subject), key: 'house' });
    let poisoned = new Set<string>();
    const meet = (event: { readonly data: unknown; readonly subject: string; readonly position: number }) => {
      if (poisoned.has(`${event.subject} ${event.position}`)) throw new Error(`${event.subject} cannot be met`);
    };

    test('given 200 events of which one is poisoned, then only its subject waits, and soon', async () => {
      poisoned = new Set(['person-0123 124']);
      let meetings = 0;
      const one = world.process();
      await one.say(numbered('person', 200).map(inHouse));
      await one.consume({
        meet(event) {
          meetings += 1;
          meet(event);
        },
      });
      await consumedAll();

      expect(await world.greeted()).toEqual(numbered('person', 200).filter((subject) => subject !== 'person-0123'));
      expect(await listParked(world.db)).toMatchObject(
        [{ source: 'identity', position: 124, subject: 'person-0123', attempts: 1, error: /cannot be met/ }].map(
          (row) => ({ ...row, error: expect.stringMatching(row.error) }),
        ),
      );
      expect(meetings).toBeLessThan(800);
    });

    test('given a poisoned event, then later ones of its subject wait and a retry runs them in order', async () => {
      poisoned = new Set(['ann 2']);
      const one = world.process();
      await one.consume({ meet });
      await one.say(['bob', 'ann', 'ann', 'bob'].map(inHouse));
      await consumedAll();
      await one.say(['ann', 'eve', 'ann', 'bob'].map(inHouse));
      await consumedAll();
      expect(await world.greeted()).toEqual(['bob', 'bob', 'eve', 'bob']);
      const parked = await listParked(world.db);
      expect(parked.map(({ position, error }) => [position, error !== null]).toSorted()).toEqual([
        [2, true],
        [3, false],
        [5, false],
        [7, false],
      ]);
      const id = parked.find(({ position }) => position === 2)?.id ?? '';

      await expect(
        retryParked(
          world.db,
          {
            'identity.user-registered.v1': async () => {
              throw new Error('still');
            },
          },
          id,
        ),
      ).rejects.toThrow('still');
      expect((await listParked(world.db)).find((row) => row.id === id)).toMatchObject({
        attempts: 2,
        error: 'Error: still',
      });
      expect(await retryParked(world.db, world.reactions, id)).toBe(4);
      expect(await listParked(world.db)).toEqual([]);
      expect(await positionsOf('ann')).toEqual([2, 3, 5, 7]);

      poisoned = new Set();
      await one.say(['ann'].map(inHouse));
      await consumedAll();
      expect(await positionsOf('ann')).toEqual([2, 3, 5, 7, 9]);
      expect(await listParked(world.db)).toEqual([]);
      expect(await world.answered()).toHaveLength(9);
    });

    test('given a poisoned event that is dropped, then those behind it run and it never does', async () => {
      poisoned = new Set(['ann 1']);
      const one = world.process();
      await one.consume({ meet });
      await one.say(['ann', 'ann', 'bob', 'ann'].map(inHouse));
      await consumedAll();
      const parked = await listParked(world.db);
      const id = parked.find(({ position }) => position === 1)?.id ?? '';

      expect(await dropParked(world.db, world.reactions, id)).toBe(3);
      expect(await dropParked(world.db, world.reactions, id)).toBeUndefined();
      await one.say(['ann'].map(inHouse));
      await consumedAll();
      expect(await positionsOf('ann')).toEqual([2, 4, 5]);
    });

    test('given a parked subject, when the consumer is started from scratch, then it still waits', async () => {
      poisoned = new Set(['ann 1']);
      const one = world.process();
      const first = await one.consume({ meet });
      await one.say([inHouse('ann')]);
      await consumedAll();
      await first.stop();
      await world.process().consume();
      await one.say(['ann', 'bob'].map(inHouse));
      await consumedAll();

      expect(await world.greeted()).toEqual(['bob']);
      expect(await listParked(world.db)).toHaveLength(2);
    });

    test('given events that keep coming while an operator retries, then the order of the subject holds', async () => {
      poisoned = new Set(['ann 1']);
      const one = world.process();
      await one.consume({ meet });
      await one.say([inHouse('ann')]);
      await consumedAll();
      const [first] = await listParked(world.db);
      poisoned = new Set();
      const talk = (async () => {
        for (let count = 0; count < 60; count += 1) await one.say([inHouse('ann')]);
      })();
      await vi.waitFor(async () => expect((await listParked(world.db)).length).toBeGreaterThan(5), WAIT);
      // What was parked while the first ones ran comes last; an operator repeats until nothing waits.
      for (let rounds = 0; rounds < 100; rounds += 1) {
        const oldest = (await listParked(world.db)).at(-1);
        if (oldest === undefined) break;
        await retryParked(world.db, world.reactions, oldest.id);
      }
      await talk;
      await consumedAll();
      await vi.waitFor(async () => {
        for (const { id } of await listParked(world.db)) await retryParked(world.db, world.reactions, id);
        expect(await positionsOf('ann')).toHaveLength(61);
      }, WAIT);

      expect(first?.position).toBe(1);
      expect(await positionsOf('ann')).toEqual(Array.from({ length: 61 }, (_, index) => index + 1));
    });

    async function positionsOf(subject: string): Promise<number[]> {
      const text = 'SELECT position FROM catalog.greetings WHERE subject = $1 ORDER BY ordinal';
      return (await world.sql<{ position: string }>(text, [subject])).map((row) => Number(row.position));
    }
  });

  describe(`${name}: own events`, () => {
    test('given what a consumer has said, when committed, then its log is gapless too', async () => {
      const one = world.process();
      await one.consume();
      await one.say(numbered('person', 10).map(registered));
      await consumedAll();
      const [log] = await world.sql(
        'SELECT array_agg(position ORDER BY position)::text AS positions FROM catalog.outbox',
      );

      expect(log).toEqual({ positions: '{1,2,3,4,5,6,7,8,9,10}' });
      expect(withdrawn('ann').type).toBe('catalog.product-withdrawn.v1');
    });
  });
}
