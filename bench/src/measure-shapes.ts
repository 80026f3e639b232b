import { runLoad } from './load.ts';
import { inShape, type Shape, type ShapeName } from './shapes.ts';
import { logEnds, stagesSince, untilDecided } from './stage-events.ts';
import { type StageLatencies, stageLatencies } from './stages.ts';
import { type Used, usedSoFar } from './used-so-far.ts';
import { type Api, type BenchTown, buildTown, openApi, signInCustomers, stockUp, untilKnown } from './town.ts';

export type ShapesPlan = {
  readonly seconds: number;
  readonly clients: readonly number[];
  readonly shapes: readonly ShapeName[];
};

export type ShapeRun = {
  readonly shape: ShapeName;
  readonly sites: number;
  readonly clients: number;
  /** Orders that were complete when they were answered. */
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** Answered 202: they were complete later. */
  readonly late: number;
  readonly refused: number;
  readonly stages: StageLatencies | undefined;
  /** CPU milliseconds for each order, by part. */
  readonly cpu: Readonly<Record<string, number>>;
  /** What PostgreSQL wrote for each order, to its write-ahead log and to tables and indexes. */
  readonly bytes: { readonly wal: number; readonly databases: number };
  /** Of what the machine's cores did during the run, how much was not ours: 0 on a quiet machine. */
  readonly strangersShare: number;
};

const TOWN = { sites: 16, products: 4, customers: 24 } as const;
const UNITS_PER_PURCHASE = 2;
/** Enough for a run at a rate that no shape here reaches. */
const PURCHASES_PER_SECOND_MAX = 3_000;
const WARM_UP = { sites: TOWN.sites, clients: 32, seconds: 3 } as const;

type Running = { readonly shape: Shape; readonly api: Api; readonly town: BenchTown; readonly tokens: string[] };

/** Measures shape after shape, each from nothing: at one site and at many, with so many clients each. */
export async function measureShapes(plan: ShapesPlan, log: (line: string) => void): Promise<readonly ShapeRun[]> {
  const runs: ShapeRun[] = [];
  for (const name of plan.shapes) {
    log(`${name}: starting`);
    const found = await inShape(name, (shape) => measureShape(shape, plan, log));
    runs.push(...found);
  }
  return runs;
}

async function measureShape(shape: Shape, plan: ShapesPlan, log: (line: string) => void): Promise<ShapeRun[]> {
  const api = openApi(shape.host, shape.port);
  const town = await buildTown(api, TOWN);
  const tokens = await signInCustomers(api, town);
  const running = { shape, api, town, tokens };
  for (const siteId of town.siteIds) await buyOnce(running, siteId);
  log(`${shape.name}: the town is built; warming up`);
  await measureRun(running, WARM_UP);
  const runs: ShapeRun[] = [];
  for (const clients of plan.clients) {
    for (const sites of clients === 1 ? [1] : [1, TOWN.sites]) {
      const run = await measureRun(running, { sites, clients, seconds: plan.seconds });
      runs.push(run);
      const { perSecond, p50 } = run;
      log(`${shape.name}, sites ${sites}, clients ${clients}: ${perSecond.toFixed(0)}/s, p50 ${p50.toFixed(1)} ms`);
    }
  }
  return runs;
}

/** Until it works: then every context knows the site, its stock and the prices. */
async function buyOnce({ api, town, tokens }: Running, siteId: string): Promise<void> {
  await stockUp(api, siteId, town.productIds, UNITS_PER_PURCHASE);
  const [token = ''] = tokens;
  const lines = town.productIds.map((productId) => ({ productId, quantity: 1 }));
  await untilKnown(() => api.call('POST', '/api/orders', { token, body: { siteId, lines } }));
}

async function measureRun(
  { shape, api, town, tokens }: Running,
  run: { readonly sites: number; readonly clients: number; readonly seconds: number },
): Promise<ShapeRun> {
  const { clients, seconds } = run;
  const siteIds = town.siteIds.slice(0, run.sites);
  // At random: some shelves are asked for more than others.
  const units = (PURCHASES_PER_SECOND_MAX * UNITS_PER_PURCHASE * seconds) / (run.sites * TOWN.products);
  for (const siteId of siteIds)
    await stockUp(api, siteId, town.productIds, Math.ceil(clients === 1 ? units / 10 : units));
  const ends = await logEnds(shape);
  const before = await usedSoFar(shape);
  const load = await runLoad({
    ...{ host: api.host, port: api.port, clients, seconds },
    ...{ method: 'POST', path: '/api/orders', tokens, withKeys: true },
    bodies: siteIds.flatMap((siteId) =>
      town.productIds.map((productId) =>
        JSON.stringify({ siteId, lines: [{ productId, quantity: UNITS_PER_PURCHASE }] }),
      ),
    ),
  });
  await untilDecided(shape, ends);
  const after = await usedSoFar(shape);
  const { count, late, refused, p50, p99, clientCpuMilliseconds } = load;
  return {
    ...{ shape: shape.name, sites: run.sites, clients },
    ...{ perSecond: (load.perSecond * (count - late)) / count, p50, p99, late, refused },
    stages: stageLatencies(await stagesSince(shape, ends)),
    ...eachOrder(before, after, clientCpuMilliseconds, count),
  };
}

function eachOrder(
  before: Used,
  after: Used,
  client: number,
  count: number,
): Pick<ShapeRun, 'cpu' | 'bytes' | 'strangersShare'> {
  const used = [...after.parts].map(([name, total]) => [name, total - (before.parts.get(name) ?? 0)] as const);
  const all = [...used, ['client', client] as const];
  const ours = all.reduce((sum, [, milliseconds]) => sum + milliseconds, 0);
  const machine = after.machine - before.machine;
  return {
    cpu: Object.fromEntries(all.map(([name, milliseconds]) => [name, milliseconds / count])),
    bytes: {
      wal: (after.walBytes - before.walBytes) / count,
      databases: (after.databaseBytes - before.databaseBytes) / count,
    },
    strangersShare: machine > 0 ? Math.max(0, 1 - ours / machine) : 0,
  };
}
