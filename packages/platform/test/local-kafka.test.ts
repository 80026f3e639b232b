// The brokers that tests use do what their words say. Needs Java 17 and a fetched Kafka (npm run kafka -- fetch).
import { Admin } from '@platformatic/kafka';
import { describeWithKafka, sharedKafka, startKafka, type TestKafka } from '@provender/platform/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';

const START_MILLISECONDS_MAX = 90_000;

describeWithKafka('a broker of a test', () => {
  let kafka: TestKafka;

  beforeAll(async () => {
    kafka = await startKafka();
  }, START_MILLISECONDS_MAX);

  afterAll(() => kafka?.remove());

  test('given a topic, when the broker is killed and started again, then it is at the same address with it', async () => {
    await withAdmin(kafka.brokers, (admin) => admin.createTopics({ topics: ['kept'], partitions: 3 }));
    const { pid } = kafka;
    await kafka.kill();
    await kafka.start();
    expect(kafka.pid).not.toBe(pid);
    expect(await withAdmin(kafka.brokers, (admin) => admin.listTopics())).toContain('kept');
  });

  test('given a topic, when the broker is emptied, then nothing is left of it', async () => {
    await withAdmin(kafka.brokers, (admin) => admin.createTopics({ topics: ['lost'] }));
    await kafka.empty();
    expect(await withAdmin(kafka.brokers, (admin) => admin.listTopics())).toEqual([]);
  });

  test('when the broker is paused, then it answers nobody, and answers again when it is resumed', async () => {
    kafka.pause();
    await expect(withAdmin(kafka.brokers, (admin) => admin.listTopics())).rejects.toThrow(/failed/);
    kafka.resume();
    await expect.poll(() => withAdmin(kafka.brokers, (admin) => admin.listTopics())).toEqual([]);
  });
});

describeWithKafka('the broker of the run', () => {
  test(
    'when several ask for it at once, then it is started once',
    async () => {
      const [first, second] = await Promise.all([sharedKafka(), sharedKafka()]);
      expect(first).toEqual(second);
      expect(await withAdmin(first.brokers, (admin) => admin.listTopics())).toBeInstanceOf(Array);
    },
    START_MILLISECONDS_MAX,
  );
});

async function withAdmin<Value>(brokers: readonly string[], work: (admin: Admin) => Promise<Value>): Promise<Value> {
  const admin = new Admin({
    clientId: 'local-kafka-test',
    bootstrapBrokers: [...brokers],
    requestTimeout: 1_500,
    retries: 1,
  });
  try {
    return await work(admin);
  } finally {
    await admin.close();
  }
}
