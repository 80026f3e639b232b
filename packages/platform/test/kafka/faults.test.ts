// Needs a fetched Kafka (npm run kafka -- fetch) and Java; without them it is skipped, and says so.
import { describeWithKafka, startKafka, type TestKafka } from '@provender/platform/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { setRelayBack } from '../../src/index.ts';
import { registered } from '../toy-context.ts';
import { numbered } from '../transport-contract/under-test.ts';
import { expectGreeted, type KafkaWorld, openKafkaWorld, START_MILLISECONDS_MAX, WAIT } from './kafka-world.ts';

const PARTITIONS = 3;
const TEST_MILLISECONDS_MAX = 90_000;

describeWithKafka('A broker that fails', () => {
  let kafka: TestKafka;
  let world: KafkaWorld;

  beforeAll(async () => {
    kafka = await startKafka();
  }, START_MILLISECONDS_MAX);

  afterAll(() => kafka?.remove());

  beforeEach(async () => {
    world = await openKafkaWorld({ brokers: kafka.brokers, partitions: PARTITIONS });
  });

  afterEach(async () => {
    kafka.resume();
    await world.close();
  });

  const people = numbered('person', 12);

  async function say(subjects: readonly string[]): Promise<void> {
    for (let index = 0; index < subjects.length; index += 5)
      await world.speak(subjects.slice(index, index + 5).map(registered));
  }

  test(
    'given a broker that is away from the start and dies later, when it is there, then all comes in order',
    async () => {
      await kafka.kill();
      await world.process().consume();
      await say(people);
      await kafka.start();
      await expectGreeted(world, people);

      await kafka.kill();
      await say([...people, ...people]);
      await kafka.start();
      await expectGreeted(world, [...people, ...people, ...people]);
      expect(world.errors).toEqual([]);
    },
    TEST_MILLISECONDS_MAX,
  );

  test(
    'given a broker that is paused for longer than the sessions, when it goes on, then all comes in order',
    async () => {
      const { reactor } = await world.process().consume();
      await say(people);
      await expectGreeted(world, people);
      kafka.pause();
      await say(people);
      await vi.waitFor(() => expect(world.lines.join('\n')).toMatch(/cannot be (read|joined|carried)/), WAIT);
      kafka.resume();
      await expectGreeted(world, [...people, ...people]);
      reactor.wake();
      expect(world.errors).toEqual([]);
    },
    TEST_MILLISECONDS_MAX,
  );

  test(
    'given a broker that is emptied, then relay and consumer say so, and what is carried again completes it',
    async () => {
      const process = world.process();
      const first = await process.consume();
      await say(people);
      await expectGreeted(world, people);
      await first.stop();
      // Carried, and lost before anybody has consumed it.
      await say(people);
      await vi.waitFor(async () => {
        const [row] = await world.sql<{ position: string }>('SELECT position FROM identity.relay');
        expect(Number(row?.position)).toBe(2 * people.length);
      }, WAIT);
      await kafka.empty();
      await vi.waitFor(() => expect(world.lines.join('\n')).toMatch(/has lost what was in .*republish identity/), WAIT);

      await process.consume();
      await say(['zoe']);
      await vi.waitFor(() => expect(world.lines.join('\n')).toMatch(/but lacks what came .*republish identity/), WAIT);
      expect(await world.greeted()).toHaveLength(people.length);
      await setRelayBack(world.superuserUrl, 'identity', 1);
      await expectGreeted(world, [...people, ...people, 'zoe']);
      expect(world.lines.join('\n')).toContain('What was missing in the topic');
      expect(world.errors).toEqual([]);
    },
    TEST_MILLISECONDS_MAX,
  );
});
