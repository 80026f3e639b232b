import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { CONTEXT_NAMES, type ContextName } from '@provender/contracts';
import { type Clock } from '@provender/platform';
import { createTestDatabase, type TestDatabase } from '@provender/platform/testing';
import { checksFor, verifyPromises } from '@provender/server';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type SplitDatabases, splitDatabase, urlsOf } from '../support/split-databases.ts';
import { buildBusyShop } from './busy-shop.ts';
import { type Plant, plants } from './plants.ts';

// The same checks where each context has a database of its own: nothing fires while all is well, and what is planted in
// one of the databases is found, by checks of one context and by those that compare two. Some are planted together;
// where PROVENDER_FAULTS is set (npm run faults), each is planted alone as well.

const ALL = process.env['PROVENDER_FAULTS'] !== undefined;

/** A violation, and in which context's database each of its statements is run. */
type Placed = Plant & { readonly places: readonly ContextName[] };

let split: SplitDatabases;
let clock: Clock;

beforeAll(async () => {
  const { shop } = await buildBusyShop();
  clock = shop.clock;
  await shop.stop();
  split = await splitDatabase(shop.database);
  await shop.database.drop();
});

afterAll(async () => {
  await Promise.all(Object.values(split ?? {}).map(({ drop }) => drop()));
});

async function firing(databases: SplitDatabases): Promise<string[]> {
  const { checks } = await verifyPromises({ databases: urlsOf(databases), clock });
  expect(checks.length).toBe(checksFor(CONTEXT_NAMES).length);
  return checks
    .filter(({ ok }) => !ok)
    .map(({ name }) => name)
    .sort();
}

/** Where each statement of a violation is run; none where one of them names the tables of several contexts. */
function placesOf({ sql }: Plant): ContextName[] | undefined {
  const named = sql.map((text) => CONTEXT_NAMES.filter((context) => new RegExp(`\\b${context}\\.`).test(text)));
  return named.every(({ length }) => length === 1) ? named.flat() : undefined;
}

async function withAdmin(database: TestDatabase, work: (admin: pg.Client) => Promise<unknown>): Promise<void> {
  const admin = new pg.Client({ connectionString: database.superuserUrl });
  await admin.connect();
  try {
    await work(admin);
  } finally {
    await admin.end();
  }
}

/** Gives `work` the databases, with copies in place of those that the violations are planted in. */
async function withPlanted(planted: readonly Placed[], work: (databases: SplitDatabases) => Promise<void>) {
  const copies: Partial<Record<ContextName, TestDatabase>> = {};
  try {
    const statements = planted.flatMap(({ places, sql }) => sql.map((text, at) => ({ text, place: places[at] })));
    for (const [place = 'orders', own] of Map.groupBy(statements, (statement) => statement.place)) {
      const copy = await createTestDatabase({ template: new URL(split[place].url).pathname.slice(1) });
      copies[place] = copy;
      await withAdmin(copy, async (admin) => {
        await admin.query("SET session_replication_role = 'replica'");
        const now = `'${new Date(clock.now()).toISOString()}'::timestamptz`;
        for (const { text } of own) await admin.query(text.replaceAll(':now', now));
      });
    }
    await work({ ...split, ...copies });
  } finally {
    await Promise.all(Object.values(copies).map(({ drop }) => drop()));
  }
}

const MAIN = fileURLToPath(new URL('../../apps/server/src/main.ts', import.meta.url));

async function verifyCommand(databases: SplitDatabases): Promise<{ code: unknown; out: string }> {
  const named = Object.entries(urlsOf(databases)).map(([context, url]) => `${context}=${url}`);
  const env = { PATH: process.env['PATH'] ?? '', DATABASE_URLS: named.join(',') };
  const child = spawn(process.execPath, [MAIN, 'verify'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (part: Buffer) => (out += part.toString()));
  const [code] = await once(child, 'close');
  return { code, out };
}

const placed = plants.flatMap((plant): Placed[] => {
  const places = placesOf(plant);
  return places === undefined ? [] : [{ ...plant, places }];
});

function firstOfEach(some: readonly Placed[], of: (plant: Placed) => string): Placed[] {
  return [...new Map(some.toReversed().map((plant) => [of(plant), plant])).values()];
}

const checks = checksFor(CONTEXT_NAMES);
const spanning = new Set(checks.filter(({ contexts }) => contexts.length > 1).map(({ name }) => name));
const ofSpanning = firstOfEach(
  placed.filter(({ breaks }) => spanning.has(breaks)),
  ({ breaks }) => breaks,
);
const ofOne = firstOfEach(
  placed.filter(({ breaks, breaksToo }) => !spanning.has(breaks) && breaksToo === undefined),
  ({ breaks }) => `${checks.find(({ name }) => name === breaks)?.promise}`,
);

/** Violations that can be planted together: those that do not meet. */
const KINDS = [
  / handles what .* says, in time$/,
  / knows .* as the catalog has (it|them)$/,
  / partner order has all /,
  / partner order that is processed$/,
  / given away | ended without /,
  /charge|money/,
  /P[1357]/,
];
const kindOf = ({ breaks }: Placed) => {
  const { promise = '' } = spanning.has(breaks) ? {} : (checks.find(({ name }) => name === breaks) ?? {});
  return KINDS.findIndex((pattern) => pattern.test(promise || breaks));
};
const groups = [...Map.groupBy(ofSpanning, kindOf).values(), ...Map.groupBy(ofOne, kindOf).values()];

describe('the checks over a database for each context', () => {
  test('given a shop after a day and a half, when checked, then all checks are made and none fires', async () => {
    expect(await firing(split)).toEqual([]);
  });

  test('given the checks that compare contexts, when compared with what is planted here, then each has something', () => {
    const broken = new Set(groups.flat().map(({ breaks }) => breaks));
    expect([...spanning].filter((name) => !broken.has(name))).toEqual([]);
  });

  test.for(groups.map((plants) => ({ plants, count: plants.length })))(
    'given $count violations in several databases, when checked, then the check of each fires',
    async ({ plants: some }) => {
      await withPlanted(some, async (databases) => {
        const broken = some.flatMap(({ breaks, breaksToo = [] }) => [breaks, ...breaksToo]);
        expect(await firing(databases)).toEqual([...new Set(broken)].sort());
      });
    },
  );

  test('given the command, when it gets the databases by a setting, then its exit code says whether all is well', async () => {
    expect(await verifyCommand(split)).toMatchObject({
      code: 0,
      out: expect.stringContaining(`all ${checks.length} `),
    });
    const [stray] = ofOne;
    if (stray === undefined) throw new Error('Nothing is planted in one context');
    await withPlanted([stray], async (databases) => {
      expect(await verifyCommand(databases)).toMatchObject({ code: 1, out: expect.stringContaining(stray.breaks) });
    });
  });

  test.for(ALL ? placed : [])('given $what, when checked, then "$breaks" fires', async (plant) => {
    await withPlanted([plant], async (databases) => {
      expect(await firing(databases)).toEqual([plant.breaks, ...(plant.breaksToo ?? [])].sort());
    });
  });

  test('given what one database shows before another does, when looked at again, then it counts for nothing', async () => {
    const id = '019a0000-0000-7000-8000-00000000beef';
    const early: Placed = {
      what: 'units that were set aside for an order that the other database does not show yet',
      breaks: 'units are set aside only for an order that was placed',
      places: ['inventory'],
      sql: [
        `INSERT INTO inventory.holds (order_id, site_id, unit_ids, expires_at, state)
         SELECT '${id}', site_id, ARRAY[id], state_at, 'expired' FROM inventory.units WHERE is_available LIMIT 1`,
      ],
    };
    await withPlanted([early], async (databases) => {
      const database = databases.inventory;
      const found = firing(databases);
      await withAdmin(database, async (admin) => {
        const looks = "SELECT state FROM pg_stat_activity WHERE application_name = 'provender verify' AND datname = $1";
        const name = new URL(database.url).pathname.slice(1);
        const look = async () => (await admin.query<{ state: string }>(looks, [name])).rows;
        await expect.poll(look, { interval: 1 }).toContainEqual({ state: 'idle in transaction' });
        await expect.poll(look, { interval: 1 }).toEqual([{ state: 'idle' }]);
        await admin.query('DELETE FROM inventory.holds WHERE order_id = $1', [id]);
      });
      expect(await found).toEqual([]);
    });
  });
});
