import { randomUUID } from 'node:crypto';
import type { ContextName, RecordedEvent, Said } from '@provender/contracts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  type ContextModule,
  eventLog,
  type Intake,
  idle,
  type OpenContext,
  openContext,
  openDatabase,
  openReactor,
  Overloaded,
  postgresTransport,
  type Reactions,
  type Reactor,
  randomIds,
  type RunningContext,
  readSettings,
  roleOf,
  settled,
  type Tx,
} from '../src/index.ts';
import { openTestContext, type TestContext } from '../src/testing/index.ts';
import { registered, type Toy, toyModule, withdrawn } from './toy-context.ts';

const GREET = {
  name: 'greet-all',
  text: `INSERT INTO greetings (subject, position, text, heard_at)
    SELECT subject, 0, 'command', now() FROM unnest($1::text[]) AS subject`,
};

let toy: TestContext<Toy>;
const opened: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  toy = await openTestContext(toyModule());
  // The loops of these tests are opened one by one; that of the context itself would take their events.
  await toy.running.stop();
});
beforeEach(() => toy.sql('TRUNCATE catalog.greetings'));
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});
afterAll(() => toy.close());

type Loop = { readonly reactor: Reactor; readonly errors: unknown[] };

/** The loop of `catalog`, which takes commands: a subject to be greeted. */
async function openLoop(
  intake: Intake | undefined,
  options: { readonly reactions?: Reactions; readonly afterConsumed?: () => void } = {},
): Promise<Loop> {
  const errors: unknown[] = [];
  const transport = postgresTransport();
  const db = openDatabase({
    url: toy.url,
    role: roleOf('catalog'),
    schema: 'catalog',
    connectionsMax: 1,
    applicationName: 'reactor test',
  });
  const reactor = openReactor({
    context: 'catalog',
    db,
    log: eventLog('catalog', toy.clock, randomIds()),
    transport,
    reactions: options.reactions ?? {},
    ...(intake === undefined ? {} : { intake }),
    ...(options.afterConsumed === undefined ? {} : { afterConsumed: options.afterConsumed }),
    onError: (_message, error) => errors.push(error),
  });
  await reactor.start();
  opened.push({
    async close() {
      await reactor.stop();
      await db.close();
      await transport.close();
    },
  });
  return { reactor, errors };
}

/** Greets each, refuses nobody, and throws at `bad`. */
function greeting(sets: number[] = []): Intake {
  return {
    async handle(commands, tx) {
      sets.push(commands.length);
      if (commands.includes('bad')) throw new Error('A bad command');
      await tx.query(GREET, [commands]);
      tx.append(commands.map((command) => withdrawn(String(command))));
      return commands.map((command) => `greeted ${String(command)}`);
    },
  };
}

function named(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `person-${index}`);
}

async function greetedCount(): Promise<number> {
  const [row] = await toy.sql<{ count: number }>('SELECT count(*)::int AS count FROM catalog.greetings');
  return row?.count ?? 0;
}

describe('commands', () => {
  test('given many at once, when submitted, then they run in few sets and each gets its own outcome', async () => {
    const sets: number[] = [];
    const { reactor } = await openLoop(greeting(sets));
    const outcomes = await Promise.all(named(900).map((name) => reactor.submit(name)));

    expect(outcomes).toEqual(named(900).map((name) => `greeted ${name}`));
    expect(Math.max(...sets)).toBe(200);
    expect(sets.length).toBeLessThanOrEqual(6);
    expect(await greetedCount()).toBe(900);
  });

  test('given one bad command in a set of 200, when submitted, then it alone fails', async () => {
    const { reactor, errors } = await openLoop(greeting());
    const names = named(200).map((name, index) => (index === 77 ? 'bad' : name));
    const outcomes = await Promise.allSettled(names.map((name) => reactor.submit(name)));

    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(1);
    expect(outcomes[77]).toMatchObject({
      status: 'rejected',
      reason: expect.objectContaining({ message: 'A bad command' }),
    });
    expect(await greetedCount()).toBe(199);
    expect(errors).toEqual([]);
  });

  test('given more than may wait, when submitted, then the rest is refused at once and those that wait are done', async () => {
    const { reactor } = await openLoop(greeting());
    const outcomes = await Promise.allSettled(named(5_300).map((name) => reactor.submit(name)));
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');

    expect(refused.length).toBe(300);
    expect(refused.every((outcome) => outcome.reason instanceof Overloaded)).toBe(true);
    expect(await greetedCount()).toBe(5_000);
    expect(await reactor.submit('later')).toBe('greeted later');
  });

  test('given a set in hand, when stopped, then it is finished, and those that wait are refused', async () => {
    const begun = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    const { reactor } = await openLoop({
      async handle(commands, tx) {
        begun.resolve();
        await finish.promise;
        await tx.query(GREET, [commands]);
        return commands;
      },
    });
    const first = reactor.submit('first');
    await begun.promise;
    const second = reactor.submit('second');
    const outcome = Promise.allSettled([second]);
    const stopped = reactor.stop();
    finish.resolve();
    await stopped;

    expect(await first).toBe('first');
    expect(await outcome).toMatchObject([{ status: 'rejected', reason: expect.any(Overloaded) }]);
    await expect(reactor.submit('third')).rejects.toThrow(Overloaded);
    expect(await greetedCount()).toBe(1);
  });

  test('given an intake that forgets an outcome, when submitted, then nothing of it is committed', async () => {
    const { reactor } = await openLoop({
      async handle(commands, tx) {
        await tx.query(GREET, [commands]);
        return [];
      },
    });

    await expect(reactor.submit('ann')).rejects.toThrow('no outcome');
    expect(await greetedCount()).toBe(0);
  });

  test('given a context without an intake, when submitted, then it is refused', async () => {
    await expect((await openLoop(undefined)).reactor.submit('ann')).rejects.toThrow('takes no commands');
  });

  test('given a connection that is killed over and over, when submitted, then each command is answered', async () => {
    const { reactor } = await openLoop({
      async handle(commands, tx) {
        await tx.query(GREET_ONCE, [commands]);
        return commands;
      },
    });
    let isOver = false;
    const killing = (async () => {
      for (let count = 0; count < 8 && !isOver; count += 1) {
        await toy.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE application_name = 'reactor test' AND datname = current_database()`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    const answers: unknown[] = [];
    for (const name of named(300))
      answers.push(...(await Promise.all([reactor.submit(name), reactor.submit(`${name}+`)])));
    isOver = true;
    await killing;

    expect(answers).toEqual(named(300).flatMap((name) => [name, `${name}+`]));
    expect(await greetedCount()).toBe(600);
  });

  const GREET_ONCE = {
    name: 'greet-once',
    text: `INSERT INTO greetings (subject, position, text, heard_at) SELECT subject, 0, 'command', now()
      FROM unnest($1::text[]) AS subject
      WHERE NOT EXISTS (SELECT FROM greetings WHERE greetings.subject = subject.subject)`,
  };

  test('given what follows a set that throws, when sets commit, then it is reported and the loop goes on', async () => {
    const { reactor, errors } = await openLoop(greeting(), {
      afterConsumed: () => {
        throw new Error('The cache is broken');
      },
    });

    expect(await reactor.submit('ann')).toBe('greeted ann');
    expect(await reactor.submit('bob')).toBe('greeted bob');
    expect(errors.map(String)).toEqual(['Error: The cache is broken', 'Error: The cache is broken']);
  });
});

describe('commands and events together', () => {
  test('given a poisoned event and a bad command, when they come in one set, then all others are done', async () => {
    const said = await say('identity', [registered('poison'), ...named(20).map(registered)]);
    const { reactor, errors } = await openLoop(greeting(), {
      reactions: {
        async 'identity.user-registered.v1'(events, tx) {
          if (events.some(({ subject }) => subject === 'poison')) throw new Error('Poisoned');
          await tx.query(GREET, [events.map(({ subject }) => subject)]);
        },
      },
    });
    const outcomes = await Promise.allSettled(['ann', 'bad', 'bob'].map((name) => reactor.submit(name)));
    await reactor.reached('identity', said.at(-1)?.position ?? 0);

    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await greetedCount()).toBe(22);
    expect(errors.map(String)).toEqual(['Error: Poisoned']);
  });
});

describe('contexts that hear each other', () => {
  const contexts = new Map<ContextName, RunningContext>();
  let hold: Promise<void> | undefined;

  /** A context that passes on whatever it hears, as an event of its own. */
  function relay(context: ContextName, reactions: Reactions): ContextModule {
    return { context, migrations: toyModule().migrations, open: () => ({ reactions }) satisfies OpenContext };
  }

  beforeEach(async () => {
    hold = undefined;
    const settings = readSettings({});
    if (!settings.ok) throw new Error('No settings');
    const transport = postgresTransport();
    const quiet = { debug() {}, info() {}, warn() {}, error() {} };
    const shared = {
      databaseUrl: toy.url,
      transport,
      clock: toy.clock,
      ids: randomIds(),
      settings: settings.value,
      log: quiet,
      publicUrl: () => '',
      oneCluster: true,
    };
    const passOn = async (events: readonly RecordedEvent[], tx: Tx, answer: (subject: string) => Said) => {
      await hold;
      tx.append(events.map(({ subject }) => answer(subject)));
    };
    const modules = [
      relay('identity', {}),
      relay('catalog', {
        'identity.user-registered.v1': (events, tx) => passOn(events, tx, withdrawn),
      }),
      relay('bank', {
        'catalog.product-withdrawn.v1': (events, tx) => passOn(events, tx, accountOpened),
      }),
    ];
    for (const module of modules) {
      const running = openContext(module, shared);
      contexts.set(module.context, running);
      await running.start({ timers: true });
    }
    opened.push({
      async close() {
        for (const running of contexts.values()) await running.stop();
        await transport.close();
      },
    });
  });

  const accountOpened = (subject: string): Said => ({
    type: 'bank.account-opened.v1',
    key: subject,
    subject,
    data: { accountId: randomUUID(), userId: randomUUID(), balance: { amount: 0, currency: 'EUR' } },
  });

  async function register(subject: string): Promise<void> {
    await contexts.get('identity')?.db.withTx(async (tx) => tx.append([registered(subject)]));
  }

  async function accounts(): Promise<number> {
    const [row] = await toy.sql<{ count: number }>('SELECT count(*)::int AS count FROM bank.outbox');
    return row?.count ?? 0;
  }

  test('given a write, when it has settled, then others have consumed it, and what they said to it', async () => {
    await idle(contexts);
    const before = await accounts();
    await register('ann');
    await settled(contexts, 'identity');

    expect(await accounts()).toBe(before + 1);
  });

  test('given a consumer that is stuck, when waiting for it, then the wait ends after two seconds', async () => {
    await idle(contexts);
    const stuck = Promise.withResolvers<void>();
    hold = stuck.promise;
    await register('ann');
    const begun = performance.now();
    await settled(contexts, 'identity');
    const waited = performance.now() - begun;
    stuck.resolve();
    await idle(contexts);

    expect(waited).toBeGreaterThan(1_900);
    expect(waited).toBeLessThan(4_000);
  });

  test('given many writes, when all is idle, then everything has been consumed', async () => {
    await idle(contexts);
    const before = await accounts();
    for (const subject of named(50)) await register(subject);
    await idle(contexts);

    expect(await accounts()).toBe(before + 50);
    await vi.waitFor(() => expect(contexts.get('bank')?.lastPosition()).toBe(before + 50), { timeout: 10_000 });
  });
});

async function say(source: ContextName, events: readonly Said[]): Promise<readonly RecordedEvent[]> {
  const speaker = openDatabase({
    url: toy.url,
    role: roleOf(source),
    schema: source,
    connectionsMax: 1,
    applicationName: 'speaker',
    seal: (query, said) => eventLog(source, toy.clock, randomIds()).append(query, said),
  });
  let recorded: readonly RecordedEvent[] = [];
  speaker.onCommitted((committed) => {
    recorded = committed;
  });
  await speaker.withTx(async (tx) => tx.append(events));
  await speaker.close();
  return recorded;
}
