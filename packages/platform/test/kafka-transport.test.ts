// Needs a fetched Kafka (npm run kafka -- fetch) and Java; without them it is skipped, and says so.
import { describeWithKafka, kafkaMissing, sharedKafka } from '@provender/platform/testing';
import { beforeAll } from 'vitest';
import { kafkaTransport, openAnnouncer } from '../src/index.ts';
import { transportContract } from './transport-contract.ts';
import { quiet } from './kafka/quiet.ts';

const START_MILLISECONDS_MAX = 90_000;

const missing = kafkaMissing();

if (missing === undefined) {
  let brokers: readonly string[] = [];
  beforeAll(async () => {
    ({ brokers } = await sharedKafka());
  }, START_MILLISECONDS_MAX);

  await transportContract('kafka', ({ url, processId, listens, believes }) => {
    const topicPrefix = `${new URL(url).pathname.slice(1)}.`;
    return kafkaTransport({
      brokers,
      clientId: processId,
      topicPrefix,
      ...(believes ? { groupPrefix: `${topicPrefix}${processId}.` } : {}),
      // One partition has the order of the log, which these suites look at; kafka-partitions.test.ts has many.
      partitions: 1,
      sessionMilliseconds: 2_000,
      log: quiet,
      processId,
      ...(listens ? { announcer: openAnnouncer(url, processId) } : {}),
    });
  });
} else {
  // It says why nothing runs.
  describeWithKafka('kafka', () => {});
}
