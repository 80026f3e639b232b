// Needs a fetched Kafka (npm run kafka -- fetch) and Java; without them it is skipped, and says so.
import { Admin, Producer } from '@platformatic/kafka';
import { describeWithKafka, sharedKafka } from '@provender/platform/testing';
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { listParked } from '../../src/index.ts';
import { registered } from '../toy-context.ts';
import { numbered } from '../transport-contract/under-test.ts';
import { expectGreeted, type KafkaWorld, openKafkaWorld, START_MILLISECONDS_MAX, WAIT } from './kafka-world.ts';

const PARTITIONS = 6;

describeWithKafka('Kafka with many partitions', () => {
  let brokers: readonly string[] = [];
  let world: KafkaWorld;

  beforeAll(async () => {
    ({ brokers } = await sharedKafka());
  }, START_MILLISECONDS_MAX);

  beforeEach(async () => {
    world = await openKafkaWorld({ brokers, partitions: PARTITIONS });
  });

  afterEach(() => world.close());

  /** So many rounds in which each of the people registers once. */
  function rounds(people: readonly string[], count: number): string[] {
    return Array.from({ length: count }, () => people).flat();
  }

  async function say(subjects: readonly string[], atOnce = 5): Promise<void> {
    const speaker = world.process();
    for (let index = 0; index < subjects.length; index += atOnce)
      await speaker.say(subjects.slice(index, index + atOnce).map(registered));
  }

  test('given many keys, when consumed, then each takes effect once and in its order', async () => {
    const subjects = rounds(numbered('person', 25), 16);
    await world.process().consume();
    await say(subjects);

    await expectGreeted(world, subjects);
    const used = await world.sql('SELECT partition FROM catalog.cursors WHERE position > 0');
    expect(used).toHaveLength(PARTITIONS);
  });

  test('given two processes, when events come, then both consume; when one goes, the other does all', async () => {
    const handled = new Map<string, number>();
    const count = (name: string) => ({ meet: () => void handled.set(name, (handled.get(name) ?? 0) + 1) });
    const people = numbered('person', 24);
    const first = await world.process().consume(count('first'));
    await world.process().consume(count('second'));
    let said: string[] = [];
    await vi.waitFor(async () => {
      await say(people, 24);
      said = [...said, ...people];
      await expectGreeted(world, said);
      expect([...handled.keys()].toSorted()).toEqual(['first', 'second']);
    }, WAIT);
    await first.stop();
    handled.clear();
    await say(people, 24);
    said = [...said, ...people];

    await expectGreeted(world, said);
    expect(handled).toEqual(new Map([['second', people.length]]));
  });

  test('given processes that come and go all the time, then each event takes effect once and in its order', async () => {
    const subjects = rounds(numbered('person', 30), 30);
    const saying = say(subjects);
    const processes = [world.process(), world.process(), world.process()];
    let consuming = await processes[0]?.consume();
    for (let turn = 1; turn < 9; turn += 1) {
      const next = await processes[turn % 3]?.consume();
      const { length } = await world.greeted();
      await vi.waitFor(async () => {
        const now = (await world.greeted()).length;
        expect(now > length || now === subjects.length).toBe(true);
      }, WAIT);
      await consuming?.stop();
      consuming = next;
    }
    await saying;
    await expectGreeted(world, subjects);
  }, 60_000);

  test('given a process that dies without a word, when its session ends, then another does its part', async () => {
    const people = numbered('person', 24);
    const doomed = await world.child({ consumes: true });
    await say(people);
    await expectGreeted(world, people);
    await world.process().consume();
    doomed.kill('SIGKILL');
    const diedAt = performance.now();
    await say(people);

    await expectGreeted(world, [...people, ...people]);
    expect(performance.now() - diedAt).toBeLessThan(10_000);
  }, 60_000);

  test('given a process that is paused in a transaction, when it goes on, then its write is refused and it takes part', async () => {
    const people = numbered('person', 24);
    const zombie = await world.child({ consumes: true, stuckAt: 'person-0007' });
    await say(people);
    await world.process().consume();
    await expectGreeted(world, people);
    // It holds no row any more that another may need.
    const sessions = "SELECT FROM pg_stat_activity WHERE application_name = 'provender catalog loop of a child'";
    expect(await world.sql(sessions)).toEqual([]);
    zombie.kill('SIGCONT');
    await say(people);
    await expectGreeted(world, [...people, ...people]);

    // It is a member again once the group has two.
    const admin = new Admin({ clientId: 'test', bootstrapBrokers: [...brokers] });
    await vi.waitFor(async () => {
      const group = `${world.topicPrefix}catalog`;
      const groups = await admin.describeGroups({ groups: [group] });
      expect(groups.get(group)).toMatchObject({ state: 'Stable' });
      expect(groups.get(group)?.members.size).toBe(2);
    }, WAIT);
    await admin.close();
    await say(people);
    await expectGreeted(world, [...people, ...people, ...people]);
  }, 90_000);

  test('given records that nobody can read, then their subjects are parked and all else flows', async () => {
    await world.process().consume();
    await say(['ann', 'bob']);
    await expectGreeted(world, ['ann', 'bob']);
    const topic = `${world.topicPrefix}identity`;
    const headers = (subject: string, position: number) => ({
      provender_position: String(position),
      provender_after: '0',
      ce_type: 'identity.user-registered.v1',
      ce_id: 'no-uuid',
      ce_subject: subject,
    });
    const producer = new Producer({ clientId: 'test', bootstrapBrokers: [...brokers], serializers: asText });
    await producer.send({
      messages: [
        { topic, partition: 0, key: 'x', value: 'hello', headers: {} },
        { topic, partition: 0, key: 'eve', value: '{"half":', headers: headers('eve', 1_000_000) },
        { topic, partition: 1, key: 'mal', value: '{"whole":true}', headers: headers('mal\0', 1_000_001) },
      ],
    });
    await producer.close();
    await vi.waitFor(async () => expect(await listParked(world.db)).toHaveLength(2), WAIT);
    const parked = (await listParked(world.db)).toSorted((one, two) => one.position - two.position);
    expect(parked).toMatchObject([
      { subject: 'eve', error: expect.stringContaining('cannot be read: SyntaxError') },
      { subject: 'mal', error: expect.stringContaining('its envelope is not complete') },
    ]);
    expect(world.lines).toContainEqual(`error The topic ${topic} has a record that is not of its log`);
  });

  test('given a topic with other partitions than asked for, then it keeps them, and says so', async () => {
    const admin = new Admin({ clientId: 'test', bootstrapBrokers: [...brokers] });
    const topic = `${world.topicPrefix}identity`;
    await admin.createTopics({ topics: [topic], partitions: 2 });
    await world.process().consume();
    const people = numbered('person', 12);
    await say(people);
    await expectGreeted(world, people);
    expect(world.lines).toContainEqual(
      `warn KAFKA_PARTITIONS=${PARTITIONS}: the topic ${topic} has 2 partitions and keeps them`,
    );

    await admin.createPartitions({ topics: [{ name: topic, count: 4 }] });
    await admin.close();
    const { reactor } = await world.process().consume();
    const late = world.process();
    await late.say([registered('zoe')]);
    await vi.waitFor(() => {
      reactor.wake();
      const refusals = world.errors.map((error) => String(error)).join('\n');
      expect(refusals).toContain('has consumed the log of identity in 2 partitions, and it comes in 4 now');
    }, WAIT);
  }, 60_000);

  test('given a trace, when the event is carried, then it arrives with it', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const traces: (string | undefined)[] = [];
    await world.process().consume({ meet: (event) => void traces.push(event.traceparent) });
    await world.process().say([{ ...registered('ann'), traceparent }]);
    await expectGreeted(world, ['ann']);

    expect(traces).toEqual([traceparent]);
  });
});

const text = (value: string | undefined) => (value === undefined ? undefined : Buffer.from(value));
const asText = { key: text, value: text, headerKey: text, headerValue: text };
