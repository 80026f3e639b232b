import { CONTEXT_NAMES } from '@provender/contracts';
import { type Milliseconds, MINUTE } from '@provender/kernel';
import { type Check, checksFor, LISTENS, runCheck } from '@provender/server';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildBusyShop, type BusyShop } from './busy-shop.ts';
import { type Plant, plants } from './plants.ts';

const PATIENCE: Milliseconds = MINUTE;
const checks = checksFor(CONTEXT_NAMES);

let busy: BusyShop;
let admin: pg.Client;

beforeAll(async () => {
  busy = await buildBusyShop();
  admin = new pg.Client({ connectionString: busy.shop.database.superuserUrl });
  await admin.connect();
});

afterAll(async () => {
  await admin?.end();
  await busy?.shop.close();
});

/** The names of the checks that fire, as the auditor sees the database in the admin's transaction. */
async function firing(): Promise<string[]> {
  const moment = { at: busy.shop.clock.now(), since: undefined, patience: PATIENCE };
  await admin.query('SET LOCAL ROLE provender_auditor');
  const names: string[] = [];
  for (const check of checks) if (!(await runCheck(admin, check, moment)).ok) names.push(check.name);
  return names.sort();
}

async function rolledBack<Value>(work: () => Promise<Value>): Promise<Value> {
  await admin.query('BEGIN');
  try {
    return await work();
  } finally {
    await admin.query('ROLLBACK');
  }
}

async function plant({ sql }: Plant): Promise<number> {
  await admin.query("SET LOCAL session_replication_role = 'replica'");
  let changed = 0;
  const now = `'${new Date(busy.shop.clock.now()).toISOString()}'::timestamptz`;
  for (const statement of sql) changed += (await admin.query(statement.replaceAll(':now', now))).rowCount ?? 0;
  return changed;
}

describe('the checks of the promises', () => {
  test('given a shop after a day and a half, when checked, then it has known all and no check fires', async () => {
    const { rows: statuses } = await admin.query('SELECT DISTINCT status FROM orders.orders ORDER BY status');
    expect(statuses.map(({ status }) => status)).toEqual([
      'cancelled',
      'delivered',
      'placed',
      'preparation',
      'ready',
      'rejected',
      'waiting',
    ]);
    const { rows: holds } = await admin.query('SELECT DISTINCT state FROM inventory.holds ORDER BY state');
    expect(holds.map(({ state }) => state)).toEqual(['allocated', 'expired', 'held', 'released', 'sold']);
    const { rows: waste } = await admin.query('SELECT DISTINCT reason FROM inventory.waste ORDER BY reason');
    expect(waste.map(({ reason }) => reason)).toEqual(['closing', 'damaged', 'stale']);
    const { rows: tenders } = await admin.query(
      "SELECT DISTINCT tender FROM bank.transactions WHERE kind = 'capture' ORDER BY tender",
    );
    expect(tenders.map(({ tender }) => tender)).toEqual(['account', 'card', 'cash']);

    expect(await rolledBack(firing)).toEqual([]);
  });

  test('given all contexts, when their checks are listed, then names differ and all promises have some', () => {
    expect(new Set(checks.map(({ name }) => name)).size).toBe(checks.length);
    const promises = new Set<string>(checks.map(({ promise }: Check) => promise));
    expect([...promises].sort()).toEqual(['P1', 'P2', 'P3', 'P4', 'P5', 'P6', 'P7', 'P8', 'P9']);
  });

  test('given what contexts listen to, when compared with the checks, then no listener is left out', () => {
    const listening = [...busy.shop.server.system.contexts.values()].map(({ context, reactor }) => [
      context,
      [...reactor.sources].sort(),
    ]);
    const checked = CONTEXT_NAMES.map((context) => [context, [...(LISTENS[context] ?? [])].sort()]);
    expect(Object.fromEntries(listening)).toEqual(Object.fromEntries(checked));
  });

  test('given the checks, when compared with the planted violations, then every check has one', () => {
    const planted = new Set(plants.map(({ breaks }) => breaks));
    expect(checks.map(({ name }) => name).filter((name) => !planted.has(name))).toEqual([]);
    expect([...planted].filter((name) => !checks.some((check) => check.name === name))).toEqual([]);
  });

  test.for(plants)('given $what, when checked, then "$breaks" fires', async (planted) => {
    const { breaks, breaksToo = [] } = planted;
    const fired = await rolledBack(async () => {
      expect(await plant(planted)).toBeGreaterThan(0);
      return firing();
    });
    expect(fired).toEqual([breaks, ...breaksToo].sort());
  });
});
