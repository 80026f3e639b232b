import {
  DiscardedView,
  IdParams,
  ReceiptDraft,
  ReceiptView,
  StockQuery,
  StockView,
  SweepDraft,
  UnitHistoryView,
  UnitPage,
  UnitQuery,
  type UnitView,
  WasteDraft,
  WasteQuery,
  WasteView,
} from '@provender/contracts';
import { formatInstant, money } from '@provender/kernel';
import { answer, type Database, type HttpApp, type Ids, page, paged, problem, read, write } from '@provender/platform';
import type { ReceiptRefusal } from './domain/receipt.ts';
import { type NotOnShelf, readPeriod, type UnknownUnits } from './domain/waste.ts';
import { readSite } from './store/copies.ts';
import { listUnits, readStock, readUnit, sumWaste, type Unit } from './store/lists.ts';
import { receiveGoods } from './use-cases/shelve-goods.ts';
import { sweepByHand, throwOutUnits } from './use-cases/throw-out.ts';

export type InventoryRoutes = { readonly db: Database; readonly ids: Ids };

export function routes(app: HttpApp, inventory: InventoryRoutes): void {
  receiptRoutes(app, inventory);
  shelfRoutes(app, inventory);
  wasteRoutes(app, inventory);
}

const receiptProblems = {
  'unknown-site': 422,
  'unknown-product': 422,
  'not-kept-as-units': 422,
  'other-currency': 422,
  'made-in-the-future': 422,
  'already-stale': 422,
} as const;

/** A refused receipt as the caller reads it. */
function refusedReceipt(refusal: ReceiptRefusal) {
  const { kind } = refusal;
  switch (kind) {
    case 'unknown-site':
      return problem(kind, { detail: 'There is no site of this siteId.' });
    case 'unknown-product':
      return problem(kind, { detail: 'There is no product of this productId.' });
    case 'not-kept-as-units':
      return problem(kind, { detail: 'The product is made to order; only what is kept as units is put on a shelf.' });
    case 'other-currency':
      return problem(kind, { detail: `The books of this site are in ${refusal.currency}.` });
    case 'made-in-the-future':
      return problem(kind, { detail: 'The goods cannot have been made later than now.' });
    case 'already-stale':
      return problem(kind, { detail: `The goods are stale since ${formatInstant(refusal.staleAt)}.` });
    case 'no-moment': {
      const errors = [{ pointer: '/madeAt', detail: 'must be a moment since 2000-01-01' }];
      return problem('invalid-request', { detail: 'The goods were made at no possible moment.', errors });
    }
  }
}

function receiptRoutes(app: HttpApp, { db, ids }: InventoryRoutes): void {
  write(app, {
    method: 'POST',
    url: '/api/inventory/receipts',
    access: ['staff'],
    summary: 'Put bought-in goods on the shelf of a site',
    schema: { body: ReceiptDraft, response: { 201: ReceiptView } },
    problems: receiptProblems,
    db,
    async handle({ body, now }, tx) {
      const received = await receiveGoods(tx, ids, ids.next(), body, now);
      return received.ok ? answer(201, received.value) : refusedReceipt(received.refusal);
    },
  });
}

function noSuchSite() {
  return problem('not-found', { detail: 'There is no such site.' });
}

function unitView({ orderId, madeAt, staleAt, ...unit }: Unit): UnitView {
  return {
    ...unit,
    madeAt: formatInstant(madeAt),
    staleAt: staleAt === null ? null : formatInstant(staleAt),
    ...(orderId === null ? {} : { orderId }),
  };
}

function shelfRoutes(app: HttpApp, { db }: InventoryRoutes): void {
  read(app, {
    method: 'GET',
    url: '/api/inventory/stock',
    access: ['staff'],
    summary: 'How much of each product a site has: free and fresh, held, allocated',
    schema: { querystring: StockQuery, response: StockView },
    async handle({ query, now }) {
      const [site, items] = await Promise.all([readSite(db, query.siteId), readStock(db, query.siteId, now)]);
      return site === undefined ? noSuchSite() : { items };
    },
  });
  read(app, {
    method: 'GET',
    url: '/api/inventory/units',
    access: ['staff'],
    summary: 'Units, one by one, newest first',
    schema: { querystring: UnitQuery, response: UnitPage },
    async handle({ query }) {
      const { limit: _limit, cursor: _cursor, ...asked } = query;
      const paging = paged(query, ['instant', 'uuid', 'uuid']);
      if (!paging.ok) return paging.refusal;
      const units = await listUnits(db, { ...paging.value, ...asked });
      return page(units, paging.value.limit, unitView, ({ madeAt, batchId, id }) => [madeAt, batchId, id]);
    },
  });
  read(app, {
    method: 'GET',
    url: '/api/inventory/units/:id',
    access: ['staff'],
    summary: 'One unit with its history',
    schema: { params: IdParams, response: UnitHistoryView },
    async handle({ params }) {
      const found = await readUnit(db, params.id);
      if (found === undefined) return problem('not-found', { detail: 'There is no such unit.' });
      const { steps, ...unit } = found;
      const history = steps.map(({ state, at, orderId, reason }) => {
        return { state, at: formatInstant(at), orderId: orderId ?? undefined, reason: reason ?? undefined };
      });
      return { ...unitView(unit), history };
    },
  });
}

function refusedWaste(refusal: UnknownUnits | NotOnShelf) {
  if (refusal.kind === 'unknown-units') {
    return problem('not-found', { detail: 'There are no such units.', unitIds: refusal.unitIds });
  }
  const detail = 'Only units that are free on a shelf can be thrown out.';
  return problem('units-not-available', { detail, units: refusal.units });
}

function wasteRoutes(app: HttpApp, { db }: InventoryRoutes): void {
  write(app, {
    method: 'POST',
    url: '/api/inventory/sweeps',
    access: ['manager'],
    summary: 'Take stale goods off sale, or end the day of a shop, here and now',
    schema: { body: SweepDraft, response: { 200: DiscardedView } },
    db,
    async handle({ body, now }, tx) {
      const swept = await sweepByHand(tx, body.siteId, body.kind, now);
      return swept.ok ? answer(200, { discarded: swept.value }) : noSuchSite();
    },
  });
  write(app, {
    method: 'POST',
    url: '/api/inventory/waste',
    access: ['staff'],
    summary: 'Throw out units by hand',
    schema: { body: WasteDraft, response: { 200: DiscardedView } },
    problems: { 'units-not-available': 409 },
    db,
    async handle({ body, now }, tx) {
      const thrownOut = await throwOutUnits(tx, body.unitIds, body.reason, now);
      return thrownOut.ok ? answer(200, { discarded: thrownOut.value }) : refusedWaste(thrownOut.refusal);
    },
  });
  read(app, {
    method: 'GET',
    url: '/api/inventory/waste',
    access: ['staff'],
    summary: 'What a site threw out, by product and reason, with its cost',
    schema: { querystring: WasteQuery, response: WasteView },
    async handle({ query }) {
      const site = await readSite(db, query.siteId);
      if (site === undefined) return noSuchSite();
      const period = readPeriod(query.from, query.to, site.timeZone);
      if (!period.ok) {
        const errors = [{ pointer: period.refusal.pointer, detail: 'must be a day or a moment' }];
        return problem('invalid-request', { detail: 'The period is none.', errors });
      }
      const totals = await sumWaste(db, site.id, period.value);
      return { items: totals.map(({ cost, currency, ...total }) => ({ ...total, cost: money(cost, currency) })) };
    },
  });
}
