// Needs PostgreSQL, which every run of the tests has.
import { MINUTE, plus, SECOND } from '@provender/kernel';
import { statement } from '@provender/platform';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { machineOf, openPool, type Pool, register, sessionOf, start, UNKNOWN } from './pool.ts';

const LOCK = statement('lock-one-machine', 'SELECT FROM fleet.machines WHERE id = $1 FOR UPDATE');

let pool: Pool;
beforeEach(async () => {
  pool = await openPool();
});
afterEach(() => pool.close());

/** How many wait for somebody's lock. */
async function waiting(): Promise<number> {
  const [row] = await pool.test.sql<{ count: number }>('SELECT count(*)::int AS count FROM pg_locks WHERE NOT granted');
  return row?.count ?? 0;
}

async function registerMany(count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_item, index) => register(pool, { name: `Machine ${index}` })));
}

function startMany(count: number) {
  return Promise.all(Array.from({ length: count }, () => start(pool, { siteId: pool.siteId })));
}

function reset(machineId: string) {
  return pool.http.call(`POST /api/vending-machines/${machineId}/reset`, { as: 'staff' });
}

describe('start-work', () => {
  test('given idle machines, when work is started, then the one that was used least waits for a choice', async () => {
    const { machine: often } = await register(pool);
    const { machine: seldom } = await register(pool);
    await pool.test.sql('UPDATE fleet.machines SET usage_count = 5 WHERE id = $1', [often.id]);
    const { status, body } = await start(pool);
    expect(status).toBe(200);
    expect(body.machine).toMatchObject({ id: seldom.id, status: 'choose_product' });
    expect(body.session).toMatchObject({ machineId: seldom.id, status: 'choosing' });
    expect(body.session.history).toEqual([{ status: 'choosing', at: '2026-11-21T08:00:00.000Z', cause: 'start-work' }]);
    expect(await machineOf(pool, seldom.id)).toEqual(body.machine);
    expect((await start(pool)).body.machine.id).toBe(often.id);
    expect((await start(pool)).status).toBe(409);
  });

  test('given 100 idle machines, when 100 start at once, then each gets another one', async () => {
    await registerMany(100);
    const answers = await startMany(100);
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 100 }, () => 200));
    expect(new Set(answers.map(({ body }) => body.machine.id)).size).toBe(100);
  });

  test('given 10 idle machines, when 100 start at once, then 10 get one and 90 are told that there is none', async () => {
    await registerMany(10);
    const answers = await startMany(100);
    const started = answers.filter(({ status }) => status === 200);
    expect(new Set(started.map(({ body }) => body.machine.id)).size).toBe(10);
    const refused = answers.filter(({ status }) => status === 409);
    expect(refused.map(({ body }) => body)).toEqual(
      Array.from({ length: 90 }, () => expect.objectContaining({ type: '/problems/no-idle-machine' })),
    );
  });

  test('given an idle machine that is locked for a moment, when work is started, then it waits and gets it', async () => {
    const { machine } = await register(pool);
    let starting: ReturnType<typeof start> | undefined;
    await pool.test.running.db.withTx(async (tx) => {
      await tx.query(LOCK, [machine.id]);
      starting ??= start(pool);
      // Only once the call waits for the lock is it given up.
      await expect.poll(waiting).toBeGreaterThan(0);
    });
    expect((await starting)?.body.machine.id).toBe(machine.id);
  });

  test('given five machines and twenty buyers, when each is freed again, then usage spreads evenly', async () => {
    await registerMany(5);
    const turns = new Map<string, number>();
    for (let round = 0; round < 20; round += 1) {
      const { body } = await start(pool);
      turns.set(body.machine.id, (turns.get(body.machine.id) ?? 0) + 1);
      await pool.test.advanceTo(plus(pool.test.clock.now(), SECOND));
      await reset(body.machine.id);
    }
    expect([...turns.values()]).toEqual([4, 4, 4, 4, 4]);
  });

  test('given a machine or site that is not known, or elsewhere, when named, then it is not found', async () => {
    const { machine } = await register(pool);
    expect((await start(pool, { machineId: UNKNOWN })).status).toBe(404);
    expect((await start(pool, { siteId: UNKNOWN })).status).toBe(404);
    expect((await start(pool, { siteId: pool.elsewhere, machineId: machine.id })).status).toBe(404);
    expect((await start(pool, { siteId: pool.elsewhere })).status).toBe(409);
    expect((await start(pool, { machineId: machine.id })).status).toBe(200);
    expect((await start(pool, { machineId: machine.id })).status).toBe(409);
  });
});

describe('giving a machine back', () => {
  test('given no choice within two minutes, then the machine is idle and the session cancelled', async () => {
    const { machine } = await register(pool);
    const { session } = (await start(pool)).body;
    await pool.test.advanceTo(plus(pool.test.clock.now(), 2 * MINUTE - SECOND));
    expect(await machineOf(pool, machine.id)).toMatchObject({ status: 'choose_product' });
    await pool.test.advanceTo(plus(pool.test.clock.now(), SECOND));
    expect(await machineOf(pool, machine.id)).toMatchObject({ status: 'idle', usageCount: 0 });
    expect(await sessionOf(pool, session.id)).toMatchObject({
      status: 'cancelled',
      history: [{ cause: 'start-work' }, { status: 'cancelled', cause: 'no-choice', at: '2026-11-21T08:02:00.000Z' }],
    });
  });

  test('given a reset, then the machine is idle at once; again it is so already; its old time-out frees nobody', async () => {
    const { machine } = await register(pool);
    const { session } = (await start(pool)).body;
    expect((await reset(machine.id)).status).toBe(200);
    expect(await sessionOf(pool, session.id)).toMatchObject({ status: 'cancelled' });
    const again = await reset(machine.id);
    expect([again.status, again.body]).toEqual([409, expect.objectContaining({ type: '/problems/already-idle' })]);
    await pool.test.advanceTo(plus(pool.test.clock.now(), MINUTE));
    const next = (await start(pool)).body.session;
    await pool.test.advanceTo(plus(pool.test.clock.now(), MINUTE + SECOND));
    expect(await sessionOf(pool, next.id)).toMatchObject({ status: 'choosing' });
    const changes = await pool.test.said('fleet.machine-status-changed.v1');
    expect(changes.map(({ data }) => data)).toMatchObject([
      { from: 'idle', to: 'choose_product', cause: 'start-work', sessionId: session.id },
      { from: 'choose_product', to: 'idle', cause: 'reset', sessionId: session.id },
      { from: 'idle', to: 'choose_product', sessionId: next.id },
    ]);
  });

  test('given a session of somebody, when somebody else asks for it, then it is not found; staff see it', async () => {
    await register(pool);
    const { body } = await pool.http.call<{ session: { id: string } }>('POST /api/orchestrator/start-work', {
      as: 'manager',
      body: {},
    });
    const seen = async (as: 'customer' | 'staff') =>
      (await pool.http.call(`GET /api/vending-sessions/${body.session.id}`, { as })).status;
    expect([await seen('customer'), await seen('staff')]).toEqual([404, 200]);
  });
});
