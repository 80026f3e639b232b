import type { EmbeddedPostgres } from '@provender/platform';
import { prepareClassic, runClassic } from './classic.ts';
import { cpuMillisecondsOfTree } from './cpu.ts';
import { layHistory } from './history.ts';
import { type Load, runLoad } from './load.ts';
import { findPgbench, preparePgbench, runPgbench } from './pgbench.ts';
import { type ServerProcess, startServer } from './server-process.ts';
import { type Api, type BenchTown, buildTown, openApi, signInCustomers, stockUp } from './town.ts';

export type Plan = {
  readonly seconds: number;
  readonly rounds: number;
  readonly clients: readonly number[];
  readonly withHistory: boolean;
};

/** CPU milliseconds for each purchase, by process. */
export type CpuPerPurchase = { readonly server: number; readonly database: number; readonly client: number };
export type PurchaseFigures = Omit<Load, 'clientCpuMilliseconds'> & { readonly cpu: CpuPerPurchase };

export type Figures = {
  /** Transactions per second of TPC-B, 16 clients; absent where no pgbench was found. */
  readonly tpcb?: number;
  readonly classic: { readonly hot: number; readonly spread: number };
  /** By name of the run: `hot-64`, `spread-256`, `hot-64-after-history`. Medians over the rounds. */
  readonly purchases: Readonly<Record<string, PurchaseFigures>>;
  readonly menu: Omit<Load, 'clientCpuMilliseconds'>;
};

const TPCB_CLIENTS = 16;
const CLASSIC_CLIENTS = 16;
const MENU_CLIENTS = 64;
const HISTORY_CLIENTS = 64;
/** Enough for a run at a rate that no run here reaches. */
const PURCHASES_PER_SECOND_MAX = 8_000;
const UNITS_PER_PURCHASE = 2;

type Bench = {
  readonly api: Api;
  readonly town: BenchTown;
  readonly server: ServerProcess;
  readonly postgres: EmbeddedPostgres;
};

/** Runs everything in one go on one server, in interleaved rounds, and gives the medians. */
export async function measureAll(
  postgres: EmbeddedPostgres,
  plan: Plan,
  log: (line: string) => void,
): Promise<Figures> {
  const pgbench = await findPgbench();
  if (pgbench === undefined) log('pgbench was not found: no TPC-B to compare with (Debian: postgresql-contrib)');
  else await preparePgbench(pgbench, postgres.superuserUrl);
  await prepareClassic(postgres.superuserUrl);
  const server = await startServer(postgres.url);
  try {
    const api = openApi('127.0.0.1', server.port);
    const bench: Bench = { api, town: await buildTown(api), server, postgres };
    log('the town is built; warming up');
    await purchases(bench, { products: 100, clients: 64, seconds: 3 });
    const rounds = await measureRounds(bench, pgbench, plan, log);
    const afterHistory = plan.withHistory ? await measureAfterHistory(bench, plan, log) : {};
    return {
      ...(rounds.tpcb.length === 0 ? {} : { tpcb: median(rounds.tpcb) }),
      classic: { hot: median(rounds.classicHot), spread: median(rounds.classicSpread) },
      purchases: { ...medians(rounds.purchases), ...afterHistory },
      menu: withoutCpu(await menuReads(bench, plan.seconds)),
    };
  } finally {
    await server.stop();
  }
}

type Rounds = {
  readonly tpcb: number[];
  readonly classicHot: number[];
  readonly classicSpread: number[];
  readonly purchases: Map<string, PurchaseFigures[]>;
};

async function measureRounds(bench: Bench, pgbench: string | undefined, plan: Plan, log: (line: string) => void) {
  const rounds: Rounds = { tpcb: [], classicHot: [], classicSpread: [], purchases: new Map() };
  const { seconds } = plan;
  const url = bench.postgres.superuserUrl;
  for (let round = 1; round <= plan.rounds; round += 1) {
    if (pgbench !== undefined) rounds.tpcb.push(await runPgbench(pgbench, url, TPCB_CLIENTS, seconds));
    const classic = { clients: CLASSIC_CLIENTS, seconds };
    rounds.classicHot.push((await runClassic(url, { ...classic, products: 1 })).perSecond);
    rounds.classicSpread.push((await runClassic(url, { ...classic, products: 100 })).perSecond);
    for (const clients of plan.clients) {
      for (const [name, products] of [
        ['hot', 1],
        ['spread', 100],
      ] as const) {
        const figures = await purchases(bench, { products, clients, seconds });
        const key = `${name}-${clients}`;
        rounds.purchases.set(key, [...(rounds.purchases.get(key) ?? []), figures]);
        log(`round ${round} ${key}: ${Math.round(figures.perSecond)}/s, p50 ${figures.p50.toFixed(1)} ms`);
      }
    }
    const [tpcb, classicHot] = [rounds.tpcb, rounds.classicHot].map((each) => Math.round(each.at(-1) ?? 0));
    log(`round ${round} of ${plan.rounds}: TPC-B ${tpcb}/s, classic hot ${classicHot}/s`);
  }
  return rounds;
}

async function measureAfterHistory(bench: Bench, plan: Plan, log: (line: string) => void) {
  const found = new Map<string, PurchaseFigures[]>();
  const measure = async (suffix: string) => {
    for (const [name, products] of [
      ['hot', 1],
      ['spread', 100],
    ] as const) {
      const figures = await purchases(bench, { products, clients: HISTORY_CLIENTS, seconds: plan.seconds });
      const key = `${name}-${HISTORY_CLIENTS}-${suffix}`;
      found.set(key, [...(found.get(key) ?? []), figures]);
      log(`${key}: ${Math.round(figures.perSecond)}/s`);
    }
  };
  for (let round = 1; round <= plan.rounds; round += 1) await measure('before-history');
  await layHistory(bench.postgres.superuserUrl, bench.town, log);
  for (let round = 1; round <= plan.rounds; round += 1) await measure('after-history');
  return medians(found);
}

/** Two units of one product for each purchase, until the order is waiting for its pick-up. */
async function purchases(
  { api, town, server, postgres }: Bench,
  run: { readonly products: number; readonly clients: number; readonly seconds: number },
): Promise<PurchaseFigures> {
  const productIds = town.productIds.slice(0, run.products);
  const unitsEach = Math.ceil((PURCHASES_PER_SECOND_MAX * UNITS_PER_PURCHASE * run.seconds) / run.products / 4);
  await stockUp(api, town.siteId, productIds, Math.min(unitsEach, 60_000));
  const tokens = await signInCustomers(api, town);
  const before = { server: cpuMillisecondsOfTree(server.pid), database: cpuMillisecondsOfTree(postgres.pid) };
  const load = await runLoad({
    host: api.host,
    port: api.port,
    clients: run.clients,
    seconds: run.seconds,
    method: 'POST',
    path: '/api/orders',
    tokens,
    bodies: productIds.map((productId) =>
      JSON.stringify({ siteId: town.siteId, lines: [{ productId, quantity: UNITS_PER_PURCHASE }] }),
    ),
    withKeys: true,
  });
  const each = (milliseconds: number) => milliseconds / load.count;
  const cpu = {
    server: each(cpuMillisecondsOfTree(server.pid) - before.server),
    database: each(cpuMillisecondsOfTree(postgres.pid) - before.database),
    client: each(load.clientCpuMilliseconds),
  };
  return { ...withoutCpu(load), cpu };
}

function menuReads({ api, town }: Bench, seconds: number): Promise<Load> {
  const path = `/api/menu?siteId=${town.siteId}`;
  const order = { host: api.host, port: api.port, clients: MENU_CLIENTS, seconds, method: 'GET' as const, path };
  return runLoad({ ...order, tokens: [], bodies: [], withKeys: false });
}

function withoutCpu({ clientCpuMilliseconds: _, ...load }: Load): Omit<Load, 'clientCpuMilliseconds'> {
  return load;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** The run with the median throughput stands for its rounds. */
function medians(runs: ReadonlyMap<string, readonly PurchaseFigures[]>): Record<string, PurchaseFigures> {
  const chosen: Record<string, PurchaseFigures> = {};
  for (const [name, figures] of runs) {
    const sorted = figures.toSorted((left, right) => left.perSecond - right.perSecond);
    const middle = sorted[Math.floor(sorted.length / 2)];
    if (middle !== undefined) chosen[name] = middle;
  }
  return chosen;
}
