import { UNIT_STATES, unitTransitions, type UnitState } from '@provender/contracts';
import { formatInstant, MINUTE, plus } from '@provender/kernel';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { raiseShelfStarts } from '../src/store/shelf.ts';
import { type Bakery, DONUT, LOAF, openBakery, orderPaid, orderRejected, SHOP } from './bakery.ts';

let bakery: Bakery;
beforeAll(async () => {
  bakery = await openBakery();
});
afterAll(() => bakery.close());

const pairs = UNIT_STATES.flatMap((from) => UNIT_STATES.map((to) => [from, to] as const));

function isLegal(from: UnitState, to: UnitState): boolean {
  return (unitTransitions[from] as readonly UnitState[]).includes(to);
}

/** The shortest legal walk to each state. */
const WALKS: Readonly<Record<UnitState, readonly UnitState[]>> = {
  available: [],
  held: ['held'],
  allocated: ['held', 'allocated'],
  sold: ['held', 'sold'],
  discarded: ['discarded'],
};

const MOVE =
  'SELECT FROM inventory.move_units(ARRAY[$1::uuid], ARRAY[$2::inventory.unit_state], ARRAY[$3::uuid], NULL, now())';

function move(unitId: string, to: UnitState, orderId: string | null): Promise<unknown> {
  return bakery.sql(MOVE, [unitId, to, orderId]);
}

async function unitIn(state: UnitState, orderId: string): Promise<string> {
  const [unit] = await bakery.units(await bakery.bake(1, { productId: LOAF }));
  for (const step of WALKS[state]) await move(unit?.id ?? '', step, orderId);
  return unit?.id ?? '';
}

describe('The database', () => {
  test('holds the same table of transitions as the contracts', async () => {
    const rows = await bakery.sql<{ from: UnitState; to: UnitState; may: boolean }>(
      `SELECT a.state AS from, b.state AS to, inventory.unit_may_become(a.state, b.state) AS may
       FROM unnest(enum_range(NULL::inventory.unit_state)) AS a (state),
         unnest(enum_range(NULL::inventory.unit_state)) AS b (state)`,
    );
    const legal = (may: (from: UnitState, to: UnitState) => boolean) =>
      pairs.filter(([from, to]) => may(from, to)).map(([from, to]) => `${from} → ${to}`);
    expect(rows).toHaveLength(pairs.length);
    expect(legal((from, to) => rows.some((row) => row.from === from && row.to === to && row.may))).toEqual(
      legal(isLegal),
    );
  });

  test.each(pairs)(
    'given a unit that is %s, when it shall become %s, then only a legal step is taken',
    async (from, to) => {
      const orderId = bakery.nextId();
      const id = await unitIn(from, orderId);
      const moved = move(id, to, orderId);
      if (!isLegal(from, to)) {
        await expect(moved).rejects.toMatchObject({ code: 'PV201' });
        return;
      }
      await moved;
      const [row] = await bakery.sql<{ walk: string; orderId: string | null }>(
        `SELECT order_id AS "orderId", (SELECT string_agg(step.state::text, ' ' ORDER BY nth)
         FROM unnest(steps) WITH ORDINALITY AS step (state, at, order_id, reason, nth)) AS walk
       FROM inventory.units WHERE id = $1`,
        [id],
      );
      expect(row?.walk).toBe(['available', ...WALKS[from], to].join(' '));
      expect(row?.orderId).toBe(['held', 'allocated', 'sold'].includes(to) ? orderId : null);
    },
  );

  test('given a unit that is held for one order, when another wants it, then it is refused', async () => {
    const [mine, other] = [bakery.nextId(), bakery.nextId()];
    const id = await unitIn('held', mine);
    await expect(move(id, 'sold', other)).rejects.toMatchObject({ code: 'PV201' });
    await expect(move(id, 'available', null)).rejects.toMatchObject({ code: 'PV201' });
  });

  test('given several units, when one cannot take the step, then none takes it', async () => {
    const [orderId, batch] = [bakery.nextId(), await bakery.bake(2, { productId: LOAF })];
    const ids = (await bakery.units(batch)).map(({ id }) => id);
    await move(ids[1] ?? '', 'discarded', null);
    const both = bakery.sql(
      `SELECT FROM inventory.move_units(
         $1, ARRAY['held', 'held']::inventory.unit_state[], ARRAY[$2, $2]::uuid[], NULL, now())`,
      [ids, orderId],
    );
    await expect(both).rejects.toMatchObject({ code: 'PV201' });
    expect(await bakery.states(batch)).toEqual({ available: 1, discarded: 1 });
  });

  test.each(pairs.filter(([from, to]) => from !== to))(
    'given a unit that is %s, when even the owner writes %s without its step, then it is refused',
    async (from, to) => {
      const id = await unitIn(from, bakery.nextId());
      const written = bakery.sql('UPDATE inventory.units SET state = $2 WHERE id = $1', [id, to]);
      await expect(written).rejects.toMatchObject({ code: '23514' });
    },
  );

  test.each([
    'INSERT INTO inventory.units (id, site_id, steps) SELECT id, site_id, steps FROM inventory.units',
    "UPDATE inventory.units SET state = 'available'",
    "UPDATE inventory.units SET steps = '{}'",
    'UPDATE inventory.units SET order_id = id',
    'UPDATE inventory.units SET stale_at = NULL',
    'DELETE FROM inventory.units',
    "UPDATE inventory.holds SET state = 'held'",
    'UPDATE inventory.holds SET expires_at = now()',
    'DELETE FROM inventory.holds',
    'UPDATE inventory.waste SET cost = 0',
    'DELETE FROM inventory.waste',
    'UPDATE inventory.batches SET quantity = 1',
    'TRUNCATE inventory.units',
  ])("given the context's own role, when it says %s, then it may not", async (text) => {
    await bakery.sql('BEGIN');
    try {
      await bakery.sql('SET LOCAL ROLE provender_inventory');
      await expect(bakery.sql(text)).rejects.toMatchObject({ code: '42501' });
    } finally {
      await bakery.sql('ROLLBACK');
    }
  });

  test('given holds that are closed, when they shall be opened again, then they stay as they are', async () => {
    await bakery.bake(1);
    const orderId = await bakery.orderOf([DONUT, 1]);
    await bakery.hear([orderPaid(orderId, 1, true)]);
    for (const state of ['held', 'allocated', 'released', 'expired', 'sold']) {
      const changed = await bakery.sql(
        'SELECT FROM inventory.close_holds(ARRAY[$1::uuid], ARRAY[$2], ARRAY[NULL::integer])',
        [orderId, state],
      );
      expect(changed).toEqual([]);
    }
  });

  test('given many sold units behind a few free ones, when some are picked, then the partial index is walked and left', async () => {
    const [siteId, productId, orderId] = [bakery.nextId(), bakery.nextId(), bakery.nextId()];
    // As the owner, and in one go: what the guarded functions would have left behind after a long time.
    await bakery.sql(
      `INSERT INTO inventory.units (id, site_id, product_id, batch_id, made_at, stale_at, unit_cost, currency, state,
         state_at, order_id, steps)
       SELECT gen_random_uuid(), $1, $2, $1, now() - interval '1 day' + n * interval '1 millisecond',
         now() + interval '9 days', 1, 'EUR',
         CASE WHEN n <= 40000 THEN 'sold' ELSE 'available' END::inventory.unit_state, now(),
         CASE WHEN n <= 40000 THEN $3::uuid END,
         ARRAY[ROW(CASE WHEN n <= 40000 THEN 'sold' ELSE 'available' END, now(), NULL, NULL)::inventory.unit_step]
       FROM generate_series(1, 42000) AS n`,
      [siteId, productId, orderId],
    );
    await bakery.sql('VACUUM ANALYZE inventory.units');
    const plan = await planOfPick(siteId, productId);
    expect(plan).toContain('Index Scan using units_on_shelf');
    expect(plan).not.toContain('Seq Scan');
    expect(plan).not.toContain('Sort');
    // Two units wanted of 2,000 free ones: two are read, and no more.
    expect(plan).toMatch(/Index Scan using units_on_shelf[^\n]*actual rows=2(\.00)? loops=1/);
  });
});

describe('The start of a shelf', () => {
  const START = 'SELECT made_at AS "madeAt" FROM inventory.shelf_starts WHERE site_id = $1 AND product_id = $2';
  const RAISE = 'SELECT inventory.raise_shelf_starts(ARRAY[$1::uuid], ARRAY[$2::uuid])';
  const minutesAgo = (minutes: number) => formatInstant(plus(bakery.clock.now(), -minutes * MINUTE));

  async function startOf(productId: string): Promise<string | undefined> {
    const [row] = await bakery.sql<{ madeAt: Date | number }>(START, [SHOP, productId]);
    return row?.madeAt instanceof Date ? row.madeAt.toISOString() : `${row?.madeAt}`;
  }

  test('given units that are sold, when it is raised, then it is at the oldest free one, and older ones lower it', async () => {
    const productId = bakery.nextId();
    await bakery.bake(1, { productId, madeAt: minutesAgo(30) });
    await bakery.bake(1, { productId, madeAt: minutesAgo(20) });
    const orderId = await bakery.orderOf([productId, 1]);
    expect(await startOf(productId)).toBe(minutesAgo(30));
    await bakery.sql(RAISE, [SHOP, productId]);
    expect(await startOf(productId)).toBe(minutesAgo(20));
    await bakery.hear([orderRejected(orderId)]);
    expect(await startOf(productId)).toBe(minutesAgo(30));
    await bakery.bake(1, { productId, madeAt: minutesAgo(40) });
    expect(await startOf(productId)).toBe(minutesAgo(40));
  });

  test('given an empty shelf, when it is raised, then whatever comes next is found', async () => {
    const productId = bakery.nextId();
    const batch = await bakery.bake(1, { productId, madeAt: minutesAgo(10) });
    await bakery.orderOf([productId, 1]);
    await bakery.sql(RAISE, [SHOP, productId]);
    expect(await startOf(productId)).toBe('Infinity');
    const next = await bakery.bake(1, { productId, madeAt: minutesAgo(10) });
    await bakery.orderOf([productId, 1]);
    expect([await bakery.states(batch), await bakery.states(next)]).toEqual([{ held: 1 }, { held: 1 }]);
  });

  test('given an older batch that comes while it is being raised, when both are done, then the older is sold first', async () => {
    const productId = bakery.nextId();
    const young = await bakery.bake(1, { productId, madeAt: minutesAgo(5) });
    await bakery.sql('BEGIN');
    await bakery.sql(RAISE, [SHOP, productId]);
    const baked = bakery.bake(1, { productId, madeAt: minutesAgo(15) });
    await waitsForALock();
    await bakery.sql('COMMIT');
    const old = await baked;
    await bakery.orderOf([productId, 1]);
    expect([await bakery.states(old), await bakery.states(young)]).toEqual([{ held: 1 }, { available: 1 }]);
  });

  test('given an older batch that is being put there, when it is to be raised, then it is left as it is', async () => {
    const productId = bakery.nextId();
    await bakery.bake(1, { productId, madeAt: minutesAgo(30) });
    await bakery.bake(1, { productId, madeAt: minutesAgo(5) });
    await bakery.orderOf([productId, 1]);
    await bakery.sql('BEGIN');
    await bakery.sql('SELECT inventory.lower_shelf_starts(ARRAY[$1::uuid], ARRAY[$2::uuid], ARRAY[$3::timestamptz])', [
      SHOP,
      productId,
      minutesAgo(25),
    ]);
    await bakery.running.db.withTx((tx) => raiseShelfStarts(tx, [{ siteId: SHOP, productId }]));
    await bakery.sql('COMMIT');
    expect(await startOf(productId)).toBe(minutesAgo(30));
  });

  test('given many sets of orders, when each takes a unit, then none is passed over', async () => {
    const productId = bakery.nextId();
    const batches: string[] = [];
    for (let age = 40; age > 0; age -= 1) batches.push(await bakery.bake(2, { productId, madeAt: minutesAgo(age) }));
    for (let sets = 0; sets < 80; sets += 1) await bakery.orderOf([productId, 1]);
    for (const batch of batches) expect(await bakery.states(batch)).toEqual({ held: 2 });
    expect(await startOf(productId)).not.toBe(minutesAgo(40));
  });
});

async function waitsForALock(): Promise<void> {
  await vi.waitFor(
    async () => {
      const waiting = await bakery.sql(
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
      );
      expect(waiting.length).toBeGreaterThan(0);
    },
    { timeout: 10_000 },
  );
}

/** The plan of the picking itself, with the settings of its function, as a server that has run it often makes it. */
async function planOfPick(siteId: string, productId: string): Promise<string> {
  const [row] = await bakery.sql<{ text: string }>(
    "SELECT prosrc AS text FROM pg_proc WHERE proname = 'pick_units' AND pronamespace = 'inventory'::regnamespace",
  );
  const select = (row?.text ?? '').match(/RETURN QUERY\s+([\s\S]*);\s*END/)?.[1] ?? '';
  const names = ['site_ids', 'product_ids', 'quantities', 'fresh_until'];
  const numbered = names.reduce((text, name, index) => text.replaceAll(name, `$${index + 1}`), select);
  await bakery.sql('BEGIN');
  try {
    const settings = ['seqscan', 'bitmapscan', 'sort', 'hashjoin', 'mergejoin'].map((method) => `enable_${method}`);
    for (const setting of [...settings, 'jit']) await bakery.sql(`SET LOCAL ${setting} = off`);
    await bakery.sql("SET LOCAL search_path = inventory; SET LOCAL plan_cache_mode = 'force_generic_plan'");
    await bakery.sql(`PREPARE pick (uuid[], uuid[], integer[], timestamptz) AS ${numbered}`);
    const lines = await bakery.sql<{ 'QUERY PLAN': string }>(
      `EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, BUFFERS OFF)
       EXECUTE pick (ARRAY['${siteId}']::uuid[], ARRAY['${productId}']::uuid[], ARRAY[2], now())`,
    );
    return lines.map((line) => line['QUERY PLAN']).join('\n');
  } finally {
    await bakery.sql('ROLLBACK');
    await bakery.sql('DEALLOCATE ALL');
  }
}
