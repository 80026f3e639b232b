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

/** For the routes whose query or body names what must be there; a path says so by itself. */
const NOT_FOUND = { 'not-found': 404 } as const;

const receiptProblems = { ...NOT_FOUND, 'not-kept-as-units': 409 } as const;

function impossible(pointer: string, detail: string) {
  return problem('invalid-request', { detail: 'The goods cannot be so.', errors: [{ pointer, detail }] });
}

/** A refused receipt as the caller reads it. */
function refusedReceipt(refusal: ReceiptRefusal) {
  const { kind } = refusal;
  switch (kind) {
    case 'unknown-site':
      return noSuchSite();
    case 'unknown-product':
      return problem('not-found', { detail: 'There is no such product.' });
    case 'not-kept-as-units':
      return problem(kind, { detail: 'The product is made to order; only what is kept as units is put on a shelf.' });
    case 'other-currency':
      return impossible('/unitCost/currency', `must be the currency of the site, ${refusal.currency}`);
    case 'made-in-the-future':
      return impossible('/madeAt', 'must not be later than now');
    case 'no-moment':
      return impossible('/madeAt', 'must be a moment since 2000-01-01');
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

/**
 * Who has just sold something, and looks at the shelf, finds it sold: so what shows units waits until this context has
 * heard what orders said before. The sale itself does not wait for that; it is the hot path.
 */
function shelfRoutes(app: HttpApp, { db }: InventoryRoutes): void {
  read(app, {
    method: 'GET',
    url: '/api/inventory/stock',
    access: ['staff'],
    summary: 'How much of each product a site has: free and fresh, held, allocated',
    schema: { querystring: StockQuery, response: StockView },
    problems: NOT_FOUND,
    async handle({ query, now }) {
      await app.settled('orders');
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
      await app.settled('orders');
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
      await app.settled('orders');
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
    problems: NOT_FOUND,
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
    problems: { ...NOT_FOUND, 'units-not-available': 409 },
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
    problems: NOT_FOUND,
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
