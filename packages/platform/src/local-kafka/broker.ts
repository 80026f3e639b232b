import { execFile, spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isRunning, sendSignal, waitUntil } from '../embedded-postgres/processes.ts';
import { jarsFolder } from './jars.ts';

/** A broker that runs: its process and the ports of 127.0.0.1 that it listens on. */
export type RunningBroker = { readonly pid: number; readonly port: number; readonly controllerPort: number };

const READY_MILLISECONDS_MAX = 60_000;
const CLEAN_STOP_MILLISECONDS_MAX = 20_000;
const HARD_STOP_MILLISECONDS_MAX = 5_000;
const LOG_TAIL_LINES = 8;
const PORT_TRIES_MAX = 100;
const PORT_PAUSE_MILLISECONDS = 20;

/** Below the ports that the system gives to outgoing connections, so that a broker that is down keeps its port. */
const PORT_MIN = 20_000;
const PORT_MAX = 32_000;

/** A small heap, and the compiler that is quick to start rather than the one that is quick after minutes. */
const JAVA_OPTIONS = ['-Xms64m', '-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData'];

const LOG_OPTIONS = [
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  '-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info',
  '-Dorg.slf4j.simpleLogger.showDateTime=true',
  '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS',
];
const READY = /Kafka Server started/;

/** One node that is broker and controller, made to start fast and to be small. */
const SETTINGS: Readonly<Record<string, string>> = {
  'process.roles': 'broker,controller',
  'node.id': '1',
  'controller.listener.names': 'CONTROLLER',
  'auto.create.topics.enable': 'false',
  'default.replication.factor': '1',
  'offsets.topic.num.partitions': '1',
  'offsets.topic.replication.factor': '1',
  'transaction.state.log.num.partitions': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'share.coordinator.state.topic.num.partitions': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  // A lone consumer need not wait for others to join it; those that come later rebalance.
  'group.initial.rebalance.delay.ms': '0',
  // A broker that was killed may come back once its former self is given up: 9 s are the standard.
  'broker.heartbeat.interval.ms': '1000',
  'broker.session.timeout.ms': '3000',
  // Consumers that are killed are to be missed within seconds where they ask for it.
  'group.min.session.timeout.ms': '1000',
  'group.consumer.min.session.timeout.ms': '1000',
  'group.consumer.min.heartbeat.interval.ms': '100',
  // A position or an event that a machine has confirmed is kept, however long nobody asks for it.
  'offsets.retention.minutes': '525600',
  'log.retention.ms': '-1',
  // Every partition maps two index files; the standard 10 MB each would be mostly holes.
  'log.index.size.max.bytes': '262144',
  'log.segment.bytes': '67108864',
  'log.cleaner.dedupe.buffer.size': '4194304',
  'log.cleaner.threads': '1',
  'num.network.threads': '2',
  'num.io.threads': '4',
  'background.threads': '2',
};

/** The broker that runs on a data folder, if one does. What a killed broker left behind is not one. */
export function findBroker(dataFolder: string): RunningBroker | undefined {
  const file = runningFile(dataFolder);
  if (!existsSync(file)) return undefined;
  // Our own file, written whole by `startBroker`.
  const broker = JSON.parse(readFileSync(file, 'utf8')) as RunningBroker;
  return isRunning(broker.pid) && isBrokerOf(broker.pid, dataFolder) ? broker : undefined;
}

/**
 * Starts a broker on a data folder, which it makes the first time, and waits until it takes requests. The broker goes
 * on when this process ends. Throws with the end of its log when it gives up.
 */
export async function startBroker(
  dataFolder: string,
  ports: { readonly port?: number | undefined; readonly controllerPort?: number | undefined },
  settings: Readonly<Record<string, string>>,
): Promise<RunningBroker> {
  const port = ports.port || (await freeBrokerPort());
  const controllerPort = ports.controllerPort ?? (await freeBrokerPort());
  if (!(await isFree(port))) throw new Error(`127.0.0.1:${port} is taken, so Kafka cannot listen there`);
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  const properties = join(dataFolder, 'server.properties');
  writeFileSync(properties, propertiesText(dataFolder, port, controllerPort, settings));
  await formatFolder(dataFolder, properties);
  const logFile = join(dataFolder, 'kafka.log');
  const log = openSync(logFile, 'w', 0o600);
  // A process group of its own, so that Ctrl-C in a terminal reaches the caller alone, who stops the broker last.
  const child = spawn('java', [...javaArguments(), 'kafka.Kafka', properties], {
    cwd: dataFolder,
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  let ended = false;
  child.once('exit', () => {
    ended = true;
  });
  child.once('error', () => {
    ended = true;
  });
  child.unref();
  if (child.pid !== undefined) {
    writeFileSync(runningFile(dataFolder), JSON.stringify({ pid: child.pid, port, controllerPort }));
  }
  await waitUntil(() => ended || READY.test(readFileSync(logFile, 'utf8')), READY_MILLISECONDS_MAX);
  if (child.pid !== undefined && !ended && READY.test(readFileSync(logFile, 'utf8'))) {
    return { pid: child.pid, port, controllerPort };
  }
  if (child.pid !== undefined && !ended) await killBroker({ pid: child.pid, port, controllerPort });
  throw new Error(`Kafka did not start; the end of ${logFile}:\n${tailOf(logFile)}`);
}

/** Stops a broker cleanly, also one that is paused; one that hangs is ended the hard way. */
export async function stopBroker(broker: RunningBroker): Promise<void> {
  sendSignal(broker.pid, 'SIGTERM');
  sendSignal(broker.pid, 'SIGCONT');
  if (await hasEnded(broker, CLEAN_STOP_MILLISECONDS_MAX)) return;
  await killBroker(broker);
}

/** Ends a broker as a power cut would, and waits until it is gone. */
export async function killBroker(broker: RunningBroker): Promise<void> {
  sendSignal(broker.pid, 'SIGKILL');
  if (await hasEnded(broker, HARD_STOP_MILLISECONDS_MAX)) return;
  throw new Error(`Kafka (process ${broker.pid}) could not be stopped`);
}

/** A killed process counts as gone while its last threads still hold its files and its port: both are waited for. */
async function hasEnded({ pid, port }: RunningBroker, milliseconds: number): Promise<boolean> {
  if (!(await waitUntil(() => !isRunning(pid), milliseconds))) return false;
  const giveUpAt = performance.now() + milliseconds;
  while (!(await isFree(port))) {
    if (performance.now() > giveUpAt) return false;
    await wait(PORT_PAUSE_MILLISECONDS);
  }
  return true;
}

/** Removes all that a broker that does not run has stored: its topics, and what consumers have read. */
export function emptyBroker(dataFolder: string): void {
  rmSync(logsFolder(dataFolder), { recursive: true, force: true });
}

async function formatFolder(dataFolder: string, properties: string): Promise<void> {
  if (existsSync(join(logsFolder(dataFolder), 'meta.properties'))) return;
  // A leading hyphen would be taken for an option.
  const clusterId = randomBytes(16).toString('base64url').replace(/^-/, 'A');
  const format = ['kafka.tools.StorageTool', 'format', '--cluster-id', clusterId, '--config', properties];
  await promisify(execFile)('java', [...javaArguments(), ...format], { cwd: dataFolder });
}

function javaArguments(): string[] {
  return [...JAVA_OPTIONS, ...LOG_OPTIONS, '-cp', join(jarsFolder(), '*')];
}

function propertiesText(
  dataFolder: string,
  port: number,
  controllerPort: number,
  settings: Readonly<Record<string, string>>,
): string {
  const all = {
    ...SETTINGS,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'log.dirs': logsFolder(dataFolder),
    ...settings,
  };
  return Object.entries(all)
    .map(([name, value]) => `${name}=${value.replaceAll('\\', '\\\\')}\n`)
    .join('');
}

/** Whether a process is the broker of this folder and not another program that got its number later. */
function isBrokerOf(pid: number, dataFolder: string): boolean {
  if (process.platform !== 'linux') return true;
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(join(dataFolder, 'server.properties'));
  } catch {
    return false;
  }
}

async function freeBrokerPort(): Promise<number> {
  for (let tries = 0; tries < PORT_TRIES_MAX; tries += 1) {
    const port = randomInt(PORT_MIN, PORT_MAX);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port was found between ${PORT_MIN} and ${PORT_MAX}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function tailOf(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n');
}

function logsFolder(dataFolder: string): string {
  return join(dataFolder, 'logs');
}

function runningFile(dataFolder: string): string {
  return join(dataFolder, 'running.json');
}
