// No container engine runs here: so every process of the compose file is started by hand, by the command and with the
// settings that stand there, only with addresses of this machine. Needs Java 17 and a fetched Kafka.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@provender/platform';
import { describeWithKafka, sharedKafka } from '@provender/platform/testing';
import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Api, openApi } from '../support/api.ts';
import { freePort } from '../support/server-process.ts';
import { composeFile, type ComposeProcess, type Environment, filledEnvironment, root, textOf } from './deployed.ts';

const START_MILLISECONDS_MAX = 180_000;
const SLOW = { timeout: 90_000, interval: 250 };
const PASSWORD = 'a pass phrase for tests';

type Running = { readonly name: string; readonly child: ChildProcess; output(): string };

/** Runs a file as psql would: its variables come from `env`, and it may go on in another database. */
async function runSql(url: string, text: string, env: Environment): Promise<void> {
  const values = new Map<string, string>();
  let client = await connected(url);
  try {
    for (const statement of text.replaceAll(/--.*$/gm, '').split(/;\n|\n(?=\\)|(?<=^\\.*)\n/m)) {
      const [word = '', name = '', value = ''] = statement.trim().split(/\s+/);
      if (word === '\\getenv') values.set(name, env[value] ?? '');
      else if (word === '\\connect') {
        await client.end();
        client = await connected(Object.assign(new URL(url), { pathname: `/${name}` }).href);
      } else if (word !== '') {
        await client.query(statement.replaceAll(/:'(\w+)'/g, (_, each: string) => `'${values.get(each)}'`));
      }
    }
  } finally {
    await client.end();
  }
}

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}

describeWithKafka('the processes of compose.yaml', () => {
  const folder = mkdtempSync(join(tmpdir(), 'provender-test-deploy-'));
  const env = filledEnvironment();
  // The broker is that of the whole test run.
  const topicPrefix = `deploy-${randomUUID()}.`;
  const ports = new Map<string, number>();
  const running: Running[] = [];
  let services: Readonly<Record<string, ComposeProcess>> = {};
  let postgres: EmbeddedPostgres;
  let kafka: Awaited<ReturnType<typeof sharedKafka>>;
  let api: Api;

  /** The addresses within the compose file's networks, as they are on this machine. */
  function here(environment: Environment): Environment {
    const mapped = Object.entries(environment).map(([variable, value]) => {
      // YAML has no value where the variable is empty.
      const text = (value ?? '')
        .replaceAll('@postgres:5432', `@127.0.0.1:${postgres.port}`)
        .replaceAll('kafka:9092', kafka.brokers.join(','))
        .replaceAll(/\/\/([a-z]+):3000/g, (_, name: string) => `//127.0.0.1:${ports.get(name)}`);
      return [variable, text];
    });
    return Object.fromEntries(mapped);
  }

  function run(name: string, words?: readonly string[]): Running {
    const service = services[name];
    const standard = JSON.parse(/^CMD (\[.*\])$/m.exec(textOf('deploy/Dockerfile'))?.[1] ?? '[]') as string[];
    const [, ...args] = words ?? service?.command ?? standard;
    const port = ports.get(name);
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: {
        ...here(service?.environment ?? {}),
        ...(port === undefined ? {} : { HOST: '127.0.0.1', PORT: String(port) }),
        NODE_ENV: 'production',
        KAFKA_TOPIC_PREFIX: topicPrefix,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let written = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (written += chunk));
    return { name, child, output: () => written };
  }

  /** Runs a command to its end; gives its exit code. */
  async function runToEnd(name: string, words?: readonly string[]): Promise<{ code: unknown; output: string }> {
    const { child, output } = run(name, words);
    const [code] = await once(child, 'close');
    return { code, output: output() };
  }

  beforeAll(async () => {
    postgres = await startEmbeddedPostgres({ dataFolder: folder, settings: { fsync: 'off' } });
    kafka = await sharedKafka();
    await runSql(postgres.superuserUrl, textOf('deploy/postgres/databases.sql'), env);
    const names = Object.entries(composeFile(env).services).filter(([, { image }]) => image.startsWith('provender'));
    for (const [name] of names) if (name !== 'verify') ports.set(name, await freePort());
    const PUBLIC_URL = `http://127.0.0.1:${ports.get('gateway')}`;
    services = composeFile({ ...env, PUBLIC_URL, LOG_LEVEL: 'error' }).services;
    for (const name of ports.keys()) running.push(run(name));
    api = openApi(PUBLIC_URL);
    await vi.waitFor(allReady, SLOW);
  }, START_MILLISECONDS_MAX);

  /** Throws until the gateway says of every process behind it that it is ready. */
  async function allReady(): Promise<void> {
    const ended = running.find(({ child }) => child.exitCode !== null);
    if (ended !== undefined) throw new Error(`${ended.name} ended: ${ended.output()}`);
    const { body } = await api.call<{ contexts: Record<string, string> }>('GET /health/contexts');
    const unready = Object.entries(body.contexts).filter(([, health]) => health !== 'ready');
    if (unready.length > 0) throw new Error(`Not ready: ${unready.join('; ')}`);
  }

  afterAll(async () => {
    api?.close();
    for (const { child } of running) child.kill('SIGKILL');
    await postgres?.stop();
    rmSync(folder, { recursive: true, force: true });
  }, START_MILLISECONDS_MAX);

  test(
    'given somebody new, when she registers at the gateway, then her account is opened by the bank',
    async () => {
      const anna = { email: 'anna@test.example', name: 'Anna', password: PASSWORD };
      expect((await api.call('POST /api/users', { body: anna })).status).toBe(201);
      const token = await api.signIn(anna.email, PASSWORD);
      await expect.poll(() => api.call('GET /api/bank/accounts/me', { token }), SLOW).toMatchObject({ status: 200 });
    },
    START_MILLISECONDS_MAX,
  );

  test(
    'given the first manager, who is made by a command in the container, then she sees that every promise holds',
    async () => {
      const promoted = await runToEnd('identity', ['node', 'apps/server/src/main.ts', 'promote', 'anna@test.example']);
      expect(promoted).toMatchObject({ code: 0 });
      const token = await api.signIn('anna@test.example', PASSWORD);
      expect(await api.call('GET /api/verify', { token })).toMatchObject({ status: 200, body: { ok: true } });
      expect(await runToEnd('verify')).toMatchObject({ code: 0, output: expect.stringContaining('ok') });
    },
    START_MILLISECONDS_MAX,
  );

  test(
    'given the check of the image, then it says of each process whether it is ready',
    async () => {
      for (const name of ports.keys()) {
        expect([name, await runToEnd(name, ['node', 'deploy/healthcheck.mjs'])]).toMatchObject([name, { code: 0 }]);
      }
      expect(await runToEnd('verify', ['node', 'deploy/healthcheck.mjs'])).toMatchObject({ code: 1 });
    },
    START_MILLISECONDS_MAX,
  );

  test('given an owner of one database, when she connects to that of another, then she may not', async () => {
    const url = here(services['orders']?.environment ?? {})['DATABASE_URL'] ?? '';
    await expect(connected(Object.assign(new URL(url), { pathname: '/bank' }).href)).rejects.toThrow(
      /permission denied/,
    );
  });

  test(
    'when all are told to stop, then each stops by itself',
    async () => {
      for (const { child } of running) child.kill('SIGTERM');
      for (const { name, child, output } of running) {
        if (child.exitCode === null) await once(child, 'exit');
        expect({ name, code: child.exitCode, output: output() }).toMatchObject({ name, code: 0 });
      }
    },
    START_MILLISECONDS_MAX,
  );
});
