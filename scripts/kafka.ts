// `npm run kafka`: one Kafka broker on this machine, for trying out and for tests. `npm run kafka -- fetch` only
// fetches it; `--port N` listens elsewhere than on 9092.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { attachLocalKafka, fetchKafka, kafkaVersion, localKafkaFolder, startLocalKafka } from '@provender/platform';

const PORT = 9_092;
const PORT_MAX = 65_535;
const WATCH_MILLISECONDS = 1_000;

const say = (line: string) => console.error(`kafka: ${line}`);

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { port: { type: 'string' } } });
  const port = values.port === undefined ? PORT : Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > PORT_MAX || positionals.some((word) => word !== 'fetch')) {
    say('usage: npm run kafka [-- fetch | --port N]');
    return 2;
  }
  if (positionals.length > 0) {
    await fetchKafka(say);
    say(`Apache Kafka ${kafkaVersion()} is there`);
    return 0;
  }
  const stopAsked = waitForStop();
  const dataFolder = localKafkaFolder(process.env.PROVENDER_DATA || '.provender');
  const running = attachLocalKafka(dataFolder);
  const kafka = await startLocalKafka({ dataFolder, port, log: say }).catch((error: unknown) => {
    if (running === undefined) throw error;
    throw new Error(`it runs already: KAFKA_BROKERS=${running.brokers.join(',')} (process ${running.pid})`);
  });
  console.log(`Kafka ${kafkaVersion()} is ready: EVENTS=kafka KAFKA_BROKERS=${kafka.brokers.join(',')}`);
  console.log(`  its data is in ${dataFolder}; Ctrl-C stops it`);
  const died = watch(dataFolder);
  const isDead = await Promise.race([stopAsked.then(() => false), died.then(() => true)]);
  await kafka.stop();
  say(isDead ? `it died, see ${join(dataFolder, 'kafka.log')}` : 'stopped');
  return isDead ? 1 : 0;
}

/** Waits until the broker is gone by itself; its timer is what keeps this process alive meanwhile. */
function watch(dataFolder: string): Promise<void> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (attachLocalKafka(dataFolder) !== undefined) return;
      clearInterval(timer);
      resolve();
    }, WATCH_MILLISECONDS);
  });
}

/** Whoever stops us may say so twice, to the group and through npm. */
function waitForStop(): Promise<void> {
  return new Promise((resolve) => {
    process.on('SIGTERM', () => resolve());
    process.on('SIGINT', () => resolve());
  });
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    say(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  },
);
