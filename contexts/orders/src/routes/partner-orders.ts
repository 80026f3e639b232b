import {
  IdParams,
  PartnerImportView,
  PartnerOrderPage,
  PartnerOrderQuery,
  PartnerOrderView,
  PartnerResetView,
  PartnerRunView,
  REPORTED_LINES_MAX,
} from '@provender/contracts';
import { formatInstant } from '@provender/kernel';
import {
  answer,
  type ContextPlatform,
  command,
  type HttpApp,
  type KeyedRequest,
  page,
  paged,
  problem,
  type Rendered,
  read,
  type Tx,
  untilWall,
  write,
} from '@provender/platform';
import { asDecided, currentDecision, isOpen, type PartnerOrder } from '../domain/partner-order.ts';
import { listPartnerOrders, type PartnerRun, readPartnerOrder, readRun } from '../store/partner-orders.ts';
import { askForFeed, importPartnerOrders } from '../use-cases/import-partner-orders.ts';
import { beginRun, resetPartnerOrders, takeOne } from '../use-cases/process-partner-orders.ts';
import type { PartnerRuns } from '../use-cases/take-partner-orders.ts';

type PartnerPlatform = Pick<ContextPlatform, 'db' | 'ids' | 'clock' | 'settings' | 'log'>;

export function partnerOrderRoutes(app: HttpApp, platform: PartnerPlatform, runs: PartnerRuns): void {
  readRoutes(app, platform);
  importRoute(app, platform);
  processAllRoute(app, platform, runs);
  processOneRoute(app, platform);
  resetRoute(app, platform);
}

const NOT_FOUND = { 'not-found': 404 } as const;
const noSuchOrder = problem('not-found', { detail: 'There is no such partner order.' });

function orderView(order: PartnerOrder): Rendered<PartnerOrderView> {
  const { id, number, status, items, totalQuantity, importedAt } = order;
  const decision = currentDecision(order);
  return {
    ...{ id, number, status, items, totalQuantity },
    processing: order.isAsked,
    importedAt: formatInstant(importedAt),
    processedAt: decision?.at,
    reason: decision?.reason,
    shortages: decision?.shortages,
    allocations: decision?.allocations,
  };
}

function runView({ isComplete, startedAt, ...counts }: PartnerRun): PartnerRunView {
  const waiting = counts.total - counts.processed - counts.failed - counts.dropped;
  return { ...counts, startedAt: formatInstant(startedAt), complete: isComplete, waiting };
}

function readRoutes(app: HttpApp, { db }: PartnerPlatform): void {
  read(app, {
    method: 'GET',
    url: '/api/partner-orders',
    access: ['staff'],
    summary: "Partners' orders, newest first",
    schema: { querystring: PartnerOrderQuery, response: PartnerOrderPage },
    async handle({ query }) {
      await app.settled('inventory');
      const paging = paged(query, ['uuid']);
      if (!paging.ok) return paging.refusal;
      const rows = await listPartnerOrders(db, paging.value, query.status);
      return page(rows, paging.value.limit, orderView, ({ id }) => [id]);
    },
  });
  read(app, {
    method: 'GET',
    url: '/api/partner-orders/:id',
    access: ['staff'],
    summary: "One partner's order",
    schema: { params: IdParams, response: PartnerOrderView },
    async handle({ params }) {
      await app.settled('inventory');
      const order = await readPartnerOrder(db, params.id);
      return order === undefined ? noSuchOrder : orderView(order);
    },
  });
  read(app, {
    method: 'GET',
    url: '/api/partner-orders/runs/:id',
    access: ['staff'],
    summary: 'How far the processing of many partner orders has come',
    schema: { params: IdParams, response: PartnerRunView },
    async handle({ params }) {
      const run = await readRun(db, params.id);
      return run === undefined ? problem('not-found', { detail: 'There is no such run.' }) : runView(run);
    },
  });
}

function importRoute(app: HttpApp, { db, ids, settings }: PartnerPlatform): void {
  const url = settings.partnerOrdersUrl;
  write(app, {
    method: 'POST',
    url: '/api/partner-orders/import',
    access: ['manager'],
    summary: "Pull the partner's feed",
    description:
      'Takes what is new, by the number of the partner; reports what is broken, or reads otherwise than before.',
    schema: { response: { 200: PartnerImportView } },
    problems: { 'no-source': 409, 'source-unavailable': 503 },
    db,
    prepare: async () => (url === undefined ? undefined : askForFeed(url)),
    async handle({ now }, tx, asked) {
      if (asked === undefined) return problem('no-source', { detail: 'No feed is set (PARTNER_ORDERS_URL).' });
      const outcome = await importPartnerOrders(tx, ids, asked, now);
      if (!outcome.ok) return problem('source-unavailable', outcome.refusal, { 'retry-after': '10' });
      const reports = outcome.value.reports.slice(0, REPORTED_LINES_MAX);
      return answer(200, { ...outcome.value, reports });
    },
  });
}

/** How long a request waits for the warehouses, as a purchase waits for its outcome. */
const OUTCOME_WAIT = { every: 50, longest: 10_000 } as const;

const REPLAYED = { 'idempotency-replayed': 'true' };
const NO_HEADERS = {};

/** Begins something under the caller's key: `begin` runs once for a key; a repeat gets what it gave, as text. */
async function beginOnce(
  app: HttpApp,
  tx: Tx,
  keyed: KeyedRequest | undefined,
  begin: () => Promise<string | undefined>,
) {
  const claim = keyed === undefined ? undefined : await app.idempotency.claim(tx, keyed);
  if (claim?.kind === 'refused') return claim.refusal;
  if (claim?.kind === 'repeat') return { begun: claim.answer.body, headers: REPLAYED };
  const begun = await begin();
  if (begun === undefined) return noSuchOrder;
  if (keyed !== undefined) await app.idempotency.keep(tx, keyed, { status: 200, body: begun, headers: {} }, false);
  return { begun, headers: NO_HEADERS };
}

function processAllRoute(app: HttpApp, { db, ids, clock, log }: PartnerPlatform, runs: PartnerRuns): void {
  command(app, {
    method: 'POST',
    url: '/api/partner-orders/process-all',
    access: ['manager'],
    summary: 'Allocate warehouse stock to all partner orders that are new',
    description:
      'Answers when every one of them is PROCESSED or FAILED; with `Prefer: respond-async` at once, or after ten ' +
      'seconds, 202 with the `Location` of its progress. Of two who do so at once, each processes what the other ' +
      'does not. A run that was cut off goes on with a repeat of its key; what it has not taken stays NEW.',
    schema: { response: { 200: PartnerRunView, 202: PartnerRunView } },
    async handle({ idempotency, prefersAsync }) {
      const started = await db.withTx((tx) =>
        beginOnce(app, tx, idempotency, async () => {
          const runId = ids.next();
          await beginRun(tx, runId, clock.now());
          return runId;
        }),
      );
      if (!('begun' in started)) return started;
      const { begun: runId, headers } = started;
      const location = { location: `/api/partner-orders/runs/${runId}` };
      const taking = runs.take(runId);
      if (prefersAsync) {
        taking.catch((error: unknown) => log.error({ err: error, runId }, 'A run of partner orders was cut off'));
        return answer(202, runView(await runOf(db, runId)), location);
      }
      await taking;
      await app.settled();
      const isDone = async () => runView(await runOf(db, runId)).waiting === 0;
      const isInTime = await untilWall(isDone, OUTCOME_WAIT);
      const view = runView(await runOf(db, runId));
      return isInTime ? answer(200, view, headers) : answer(202, view, location);
    },
  });
}

async function runOf(db: PartnerPlatform['db'], id: string): Promise<PartnerRun> {
  const run = await readRun(db, id);
  if (run === undefined) throw new Error(`The run ${id} was begun and is gone`);
  return run;
}

function processOneRoute(app: HttpApp, { db, ids, clock }: PartnerPlatform): void {
  command(app, {
    method: 'POST',
    url: '/api/partner-orders/:id/process',
    access: ['manager'],
    summary: 'Allocate warehouse stock to one partner order',
    description: 'One that is PROCESSED or FAILED already is answered as it is; only `reset` makes it NEW again.',
    schema: { params: IdParams, response: { 200: PartnerOrderView, 202: PartnerOrderView } },
    problems: NOT_FOUND,
    async handle({ params, idempotency, prefersAsync }) {
      const started = await db.withTx((tx) =>
        beginOnce(app, tx, idempotency, async () => {
          const taken = await takeOne(tx, params.id, ids.next(), clock.now());
          return taken === undefined ? undefined : `${taken.attempt}`;
        }),
      );
      if (!('begun' in started)) return started;
      const attempt = Number(started.begun);
      await app.settled();
      const isClosed = async () => !isOpen(await orderOf(db, params.id), attempt);
      if (!prefersAsync) await untilWall(isClosed, OUTCOME_WAIT);
      const order = await orderOf(db, params.id);
      const outcome = prefersAsync ? undefined : asDecided(order, attempt);
      if (outcome !== undefined) return answer(200, orderView(outcome), started.headers);
      const location = { location: `/api/partner-orders/${params.id}` };
      return answer(202, orderView(order), location);
    },
  });
}

async function orderOf(db: PartnerPlatform['db'], id: string): Promise<PartnerOrder> {
  const order = await readPartnerOrder(db, id);
  if (order === undefined) throw new Error(`The partner order ${id} was taken and is gone`);
  return order;
}

function resetRoute(app: HttpApp, { db }: PartnerPlatform): void {
  write(app, {
    method: 'POST',
    url: '/api/partner-orders/reset',
    access: ['manager'],
    summary: 'Make every partner order new again, and give its stock back',
    schema: { response: { 200: PartnerResetView } },
    db,
    async handle({ now }, tx) {
      return answer(200, { reset: await resetPartnerOrders(tx, now) });
    },
  });
}
