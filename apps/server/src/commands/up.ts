import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CONTEXT_NAMES } from '@provender/contracts';
import {
  attachLocalKafka,
  clockText,
  localKafkaFolder,
  makeContextDatabases,
  openClockOrigin,
  type Settings,
  startLocalKafka,
} from '@provender/platform';
import { openDatabaseServer } from '../database-server.ts';
import { freePorts } from '../up/free-ports.ts';
import { type Kept, keepRunning } from '../up/keep-running.ts';
import { layOut, type Part, partCount } from '../up/layout.ts';
import { parseReplicas, REPLICAS_MAX, type Replicas, replicasOfEach } from '../up/replicas.ts';
import { forgetRunningTown, noteRunningTown } from '../up/running-town.ts';
import { table } from '../up/table.ts';
import { waitForStop } from '../wait-for-stop.ts';
import { start } from './start.ts';

const SECRET_BYTES = 32;
/** A process has four connections for requests, and some for its loop, its relay and its ears. */
const CONNECTIONS_PER_PROCESS = 12;
const CONNECTIONS_BESIDE = 60;

const HELP = `npm run provender -- up [--split [--replicas N]]

Runs the whole town. Without options in one process, as npm start does. With --split each context in a process of its
own, with a database and a role of its own, Kafka between them and the gateway in front, all on this machine: a table
shows what runs, what dies is started again, and Ctrl-C stops all of it. Kafka is that of KAFKA_BROKERS, else one that
is fetched and started here (needs Java and Maven). PostgreSQL is that of DATABASE_URL, else the embedded one.

  --split       each context in a process of its own
  --replicas N  so many processes of each context (1, at most ${REPLICAS_MAX}), or of some: orders=2,bank=2`;

/** Runs everything until it is told to stop. Gives the exit code. */
export async function up(settings: Settings, args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { split: { type: 'boolean' }, replicas: { type: 'string' }, help: { type: 'boolean' } },
  });
  const replicas = values.replicas === undefined ? replicasOfEach(1) : parseReplicas(values.replicas);
  const isWrong = replicas === undefined || (values.replicas !== undefined && values.split !== true);
  if (values.help === true || isWrong) {
    console.log(HELP);
    return values.help === true ? 0 : 2;
  }
  return values.split === true ? split(settings, replicas) : start(settings);
}

const say = (line: string) => console.error(line);

/** What was begun is ended in the other order, whatever happens in between. */
async function split(settings: Settings, replicas: Replicas): Promise<number> {
  const stopAsked = waitForStop();
  const connections = String(CONNECTIONS_BESIDE + CONNECTIONS_PER_PROCESS * partCount(replicas));
  const database = await openDatabaseServer(settings, say, { max_connections: connections });
  try {
    const kafka = await openKafka(settings);
    try {
      const parts = await layOutTown(settings, replicas, database.url, kafka.brokers);
      return await run(parts, settings, stopAsked);
    } finally {
      forgetRunningTown(settings.dataFolder);
      await kafka.stop();
    }
  } finally {
    await database.stop();
  }
}

type Brokers = { readonly brokers: readonly string[]; stop(): Promise<void> };

async function openKafka({ kafkaBrokers, dataFolder }: Settings): Promise<Brokers> {
  if (kafkaBrokers !== undefined) return { brokers: kafkaBrokers, stop: async () => {} };
  const folder = localKafkaFolder(dataFolder);
  const running = attachLocalKafka(folder);
  if (running !== undefined) say(`using the Kafka that is running (process ${running.pid})`);
  try {
    return await startLocalKafka({ dataFolder: folder, port: running?.port, log: say });
  } catch (error) {
    // Somebody else's, such as of npm run kafka: it is theirs to stop.
    if (running !== undefined) return { brokers: running.brokers, stop: async () => {} };
    throw error;
  }
}

async function layOutTown(
  settings: Settings,
  replicas: Replicas,
  adminUrl: string,
  brokers: readonly string[],
): Promise<readonly Part[]> {
  const databases = await makeContextDatabases(adminUrl, CONTEXT_NAMES);
  noteRunningTown(settings.dataFolder, databases);
  const origin = await openClockOrigin(adminUrl, settings.clock);
  const [port = settings.port, ...ports] = await freePorts(1 + partCount(replicas));
  const own = settings.port === 0 ? port : settings.port;
  return layOut({
    replicas,
    host: settings.host,
    port: own,
    publicUrl: settings.publicUrl ?? `http://${settings.host}:${own}`,
    databases,
    brokers,
    clock: origin === undefined ? '1x' : clockText(origin),
    gatewaySecret: settings.gatewaySecret ?? randomBytes(SECRET_BYTES).toString('base64url'),
    ports,
  });
}

async function run(parts: readonly Part[], settings: Settings, stopAsked: Promise<void>): Promise<number> {
  const kept = new Map<Part, Kept>();
  for (const part of parts) kept.set(part, keepRunning({ ...part, args: argsOf(part), env: envOf(part), say }));
  const allReady = Promise.all([...kept.values()].map(({ ready }) => ready)).then(() => true);
  try {
    const isReady = await Promise.race([allReady, stopAsked.then(() => false)]);
    if (isReady) console.log(readyText(kept, settings));
    await stopAsked;
    say('Stopping: requests under way are finished first.');
    return 0;
  } finally {
    // First of all nobody asks anything any more.
    for (const isFace of [true, false]) {
      const some = [...kept].filter(([{ program }]) => (program === 'gateway') === isFace);
      await Promise.all(some.map(async ([, one]) => one.stop()));
    }
  }
}

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const GATEWAY = fileURLToPath(new URL('../../../gateway/src/main.ts', import.meta.url));

function argsOf({ program }: Part): string[] {
  if (program === 'gateway') return [GATEWAY];
  return [MAIN, program === 'context' ? 'start' : 'operations'];
}

/** What leads to other databases than a process's own stays with whoever keeps it. */
function envOf({ env, program }: Part): Record<string, string | undefined> {
  const {
    DATABASE_URL: _admin,
    DATABASE_URLS: _all,
    UPSTREAMS: _upstreams,
    CONTEXTS: _contexts,
    ...rest
  } = process.env;
  if (program !== 'gateway') return { ...rest, ...env };
  const { PATH, HOME, RATE_LIMIT, LOG_LEVEL, TRUSTED_PROXIES } = rest;
  return { PATH, HOME, RATE_LIMIT, LOG_LEVEL, TRUSTED_PROXIES, ...env };
}

function readyText(kept: ReadonlyMap<Part, Kept>, settings: Settings): string {
  const rows = [...kept].map(([{ name, address, database }, { pid }]) => [
    name,
    `${pid() ?? ''}`,
    address,
    database ?? '',
  ]);
  const gateway = [...kept.keys()].find(({ program }) => program === 'gateway')?.address ?? '';
  const demo = settings.demo
    ? '\n  demo people: manager@example.com, staff@example.com, customer@example.com, password "test"'
    : '';
  return (
    `${table(['runs', 'process', 'address', 'database'], rows)}\n` +
    `Provender is ready at ${gateway}, each context apart\n` +
    `  the API to read and try: ${gateway}/docs\n  every promise, checked: npm run provender -- verify${demo}`
  );
}
