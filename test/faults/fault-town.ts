import { randomBytes } from 'node:crypto';
import { CONTEXT_NAMES, type ContextName } from '@provender/contracts';
import { type Gateway, openGateway } from '@provender/gateway';
import { readSettings, realClock } from '@provender/platform';
import { createTestDatabase, startKafka, type TestDatabase, type TestKafka } from '@provender/platform/testing';
import { type DatabaseUrls, type Verification, verifyPromises } from '@provender/server';
import { type Api, openApi } from '../support/api.ts';
import { freePort, type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { TEST_ENV } from '../support/town-shape.ts';

/** Contexts that a purchase passes through have a process each; the others share one. */
const ALONE = ['orders', 'inventory', 'bank'] as const satisfies readonly ContextName[];

export type Room = (typeof ALONE)[number] | 'people';

const ROOMS: Readonly<Record<Room, readonly ContextName[]>> = {
  people: CONTEXT_NAMES.filter((context) => !ALONE.some((alone) => alone === context)),
  orders: ['orders'],
  inventory: ['inventory'],
  bank: ['bank'],
};

const ROOM_NAMES = Object.keys(ROOMS) as Room[];
const PARTITIONS = 4;

/** Contexts in processes of their own, with a broker of their own, to do harm to; the gateway is in this process. */
export type FaultTown = {
  readonly kafka: TestKafka;
  readonly api: Api;
  readonly databases: DatabaseUrls;
  /** The settings of a process of that room; `port` 0 takes a free one. */
  envOf(room: Room): Readonly<Record<string, string>>;
  processOf(room: Room): ServerProcess;
  /** Starts a second process of a room, which the gateway knows. */
  startReplica(room: Room): Promise<ServerProcess>;
  /** Ends a process as a power cut would, and starts it again at once on its port. */
  killAndRestart(room: Room): Promise<void>;
  verify(): Promise<Verification>;
  close(): Promise<void>;
};

type Ports = Readonly<Record<Room, readonly [first: number, second: number]>>;

export async function startFaultTown(): Promise<FaultTown> {
  const kafka = await startKafka();
  const rooms = await Promise.all(ROOM_NAMES.map(async (room) => [room, await createTestDatabase()] as const));
  // One for each room, just made.
  const databases = Object.fromEntries(rooms) as Record<Room, TestDatabase>;
  const ports = await portsOfAll();
  const gatewayPort = await freePort();
  const secrets = { PUBLIC_URL: `http://127.0.0.1:${gatewayPort}`, GATEWAY_SECRET: randomBytes(32).toString('hex') };
  const urls = databaseUrls(databases);
  const processes = new Map<Room, ServerProcess>();
  const replicas: ServerProcess[] = [];

  function envOf(room: Room): Readonly<Record<string, string>> {
    return {
      ...secrets,
      CONTEXTS: ROOMS[room].join(','),
      DATABASE_URL: databases[room].url,
      EVENTS: 'kafka',
      KAFKA_BROKERS: kafka.brokers.join(','),
      KAFKA_PARTITIONS: String(PARTITIONS),
      PROVENDER_DEMO: 'on',
    };
  }

  function processOf(room: Room): ServerProcess {
    const process = processes.get(room);
    if (process === undefined) throw new Error(`No process of ${room} runs`);
    return process;
  }

  async function start(room: Room): Promise<void> {
    processes.set(room, await startServerProcess(envOf(room), { port: ports[room][0] }));
  }

  const gateway = await startGateway(gatewayPort, secrets, ports);
  await Promise.all(ROOM_NAMES.map(start));
  const api = openApi(gateway.url());
  return {
    ...{ kafka, api, databases: urls, envOf, processOf },
    async startReplica(room) {
      const replica = await startServerProcess(envOf(room), { port: ports[room][1] });
      replicas.push(replica);
      return replica;
    },
    async killAndRestart(room) {
      await processOf(room).kill();
      await start(room);
    },
    verify: () => verifyPromises({ databases: urls, clock: realClock() }),
    async close() {
      api.close();
      await gateway.stop();
      await Promise.all([...processes.values(), ...replicas].map((process) => process.kill()));
      await kafka.remove();
      await Promise.all(Object.values(databases).map(({ drop }) => drop()));
    },
  };
}

async function portsOfAll(): Promise<Ports> {
  const ports = ROOM_NAMES.map(async (room) => [room, [await freePort(), await freePort()]] as const);
  return Object.fromEntries(await Promise.all(ports)) as Ports;
}

function databaseUrls(databases: Readonly<Record<Room, TestDatabase>>): DatabaseUrls {
  return Object.fromEntries(
    ROOM_NAMES.flatMap((room) => ROOMS[room].map((context) => [context, databases[room].url] as const)),
  );
}

async function startGateway(port: number, secrets: Readonly<Record<string, string>>, ports: Ports): Promise<Gateway> {
  const upstreams = ROOM_NAMES.flatMap((room) =>
    ROOMS[room].flatMap((context) => ports[room].map((each) => `${context}=http://127.0.0.1:${each}`)),
  );
  const settings = readSettings({ ...TEST_ENV, ...secrets, PORT: String(port), UPSTREAMS: upstreams.join(',') });
  if (!settings.ok) throw new Error(settings.problems.join('\n'));
  const gateway = await openGateway(settings.value);
  await gateway.start();
  return gateway;
}
