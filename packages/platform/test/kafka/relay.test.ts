// Needs a fetched Kafka (npm run kafka -- fetch) and Java; without them it is skipped, and says so.
import { describeWithKafka, sharedKafka } from '@provender/platform/testing';
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { type Carrying, type Database, openDatabase, roleOf, setRelayBack } from '../../src/index.ts';
import { registered } from '../toy-context.ts';
import { numbered } from '../transport-contract/under-test.ts';
import { expectGreeted, type KafkaWorld, openKafkaWorld, START_MILLISECONDS_MAX, WAIT } from './kafka-world.ts';

const PARTITIONS = 3;

describeWithKafka('The relay of a log', () => {
  let brokers: readonly string[] = [];
  let world: KafkaWorld;
  let open: Carrying[] = [];

  beforeAll(async () => {
    ({ brokers } = await sharedKafka());
  }, START_MILLISECONDS_MAX);

  beforeEach(async () => {
    open = [];
    world = await openKafkaWorld({ brokers, partitions: PARTITIONS });
  });

  afterEach(async () => {
    for (const each of open) await each.close();
    await world.close();
  });

  /** A relay in a process of its own, as far as anybody can tell. */
  function carry(name: string, wrap: (db: Database) => Database = (db) => db): Carrying {
    const openDb = () =>
      openDatabase({
        url: world.url,
        role: roleOf('identity'),
        schema: 'identity',
        connectionsMax: 1,
        applicationName: `identity relay ${name}`,
      });
    const carrying = world.transport(name).carry?.({ context: 'identity', open: () => wrap(openDb()) });
    if (carrying === undefined) throw new Error('Kafka carries logs');
    open.push(carrying);
    return carrying;
  }

  async function close(carrying: Carrying): Promise<void> {
    open = open.filter((each) => each !== carrying);
    await carrying.close();
  }

  async function relay(): Promise<{ readonly position: number; readonly owner: string; readonly epoch: number }> {
    const [row] = await world.sql<{ position: string; owner: string; epoch: string }>(
      'SELECT position, owner, epoch FROM identity.relay',
    );
    return { position: Number(row?.position), owner: row?.owner ?? '', epoch: Number(row?.epoch) };
  }

  async function say(subjects: readonly string[]): Promise<void> {
    for (let index = 0; index < subjects.length; index += 7)
      await world.speak(subjects.slice(index, index + 7).map(registered));
  }

  test('given a relay that has published and never noted how far, when another begins, then nothing is doubled', async () => {
    const people = numbered('person', 60);
    await world.process({ carries: false }).consume();
    const forgetful = carry('forgetful', (db) => ({
      ...db,
      withTx: (work, seal) =>
        db.withTx((tx) => {
          const query: typeof tx.query = (statement, values) =>
            statement.name === 'keep-relay' ? Promise.resolve([{ kept: 1 }] as never) : tx.query(statement, values);
          return work({ ...tx, query });
        }, seal),
    }));
    await say(people);
    await expectGreeted(world, people);
    expect(await relay()).toMatchObject({ position: 0 });
    await close(forgetful);

    carry('heir');
    await say(['zoe']);
    await expectGreeted(world, [...people, 'zoe']);
    await vi.waitFor(async () => expect(await relay()).toMatchObject({ position: 61 }), WAIT);
    expect(world.lines.filter((line) => line.startsWith('error'))).toEqual([]);
  });

  test('given a leader that is paused, when another has taken over, then the first stands by', async () => {
    const people = numbered('person', 20);
    await world.process({ carries: false }).consume();
    const leader = await world.child({ carries: true });
    await say(people);
    await expectGreeted(world, people);
    const { owner, epoch } = await relay();
    leader.kill('SIGSTOP');
    carry('other');
    await say(people);
    await expectGreeted(world, [...people, ...people]);
    const after = await relay();
    expect(after.owner).not.toBe(owner);
    expect(after.epoch).toBeGreaterThan(epoch);

    leader.kill('SIGCONT');
    await say(people);
    await expectGreeted(world, [...people, ...people, ...people]);
    expect(await relay()).toMatchObject({ owner: after.owner });
  });

  test('given a process that is killed again and again, when it carries, then nothing is lost or doubled', async () => {
    const subjects = Array.from({ length: 12 }, () => numbered('person', 15)).flat();
    await world.process({ carries: false }).consume();
    const saying = say(subjects);
    for (let kills = 0; kills < 4; kills += 1) {
      const { position } = await relay();
      const child = await world.child({ carries: true });
      await vi.waitFor(async () => {
        const now = (await relay()).position;
        expect(now > position || now === subjects.length).toBe(true);
      }, WAIT);
      child.kill('SIGKILL');
    }
    await saying;
    carry('last');
    await expectGreeted(world, subjects);
  }, 90_000);

  test('given a log that is carried again from the middle, then consumers pass over it and new ones get it', async () => {
    const people = numbered('person', 50);
    const { stop } = await world.process({ carries: false }).consume();
    carry('relay');
    await say(people);
    await expectGreeted(world, people);
    expect(await setRelayBack(world.superuserUrl, 'identity', 21)).toEqual({ from: 21, head: 50 });
    await say(['zoe']);
    await expectGreeted(world, [...people, 'zoe']);
    await stop();
    expect(await setRelayBack(world.superuserUrl, 'identity', 1_000)).toEqual({ from: 52, head: 51 });

    await world.sql('TRUNCATE catalog.greetings; TRUNCATE catalog.outbox; UPDATE catalog.cursors SET position = 0');
    await world.process({ carries: false }).consume();
    await expectGreeted(world, [...people, 'zoe']);
    expect(world.lines.filter((line) => line.startsWith('error'))).toEqual([]);
  });
});
