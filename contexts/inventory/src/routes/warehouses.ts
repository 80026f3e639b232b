import {
  PageQuery,
  TransferDraft,
  TransferView,
  WarehouseMovementPage,
  type WarehouseMovementView,
  WarehousePage,
  WarehouseParams,
  WarehouseStockPage,
  WarehouseSyncView,
} from '@provender/contracts';
import { formatInstant, type Instant } from '@provender/kernel';
import {
  answer,
  type Clock,
  type Database,
  type HttpApp,
  type Ids,
  page,
  paged,
  problem,
  type Query,
  read,
  write,
} from '@provender/platform';
import type { TransferRefusal } from '../domain/transfer.ts';
import {
  countWarehouses,
  isWarehouse,
  listItems,
  listMovements,
  listWarehouses,
  type WarehouseMovement,
} from '../store/warehouse-lists.ts';
import { readSource } from '../store/warehouses.ts';
import { applyAnswer, type WarehouseSource } from '../use-cases/mirror-warehouses.ts';
import { transferGoods } from '../use-cases/transfer-goods.ts';

export type WarehouseRoutes = {
  readonly db: Database;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Undefined where no source is set. */
  readonly warehouses: WarehouseSource | undefined;
};

export function warehouseRoutes(app: HttpApp, inventory: WarehouseRoutes): void {
  mirrorRoutes(app, inventory);
  movementRoute(app, inventory);
  syncRoute(app, inventory);
  transferRoute(app, inventory);
}

const NOT_FOUND = { 'not-found': 404 } as const;
const noSuchWarehouse = problem('not-found', { detail: 'There is no such warehouse.' });

function optional(moment: Instant | null): string | undefined {
  return moment === null ? undefined : formatInstant(moment);
}

/** How old the mirror is, as every answer that shows it says. */
async function mirrorAge(db: Query) {
  const { syncedAt, staleSince } = await readSource(db);
  return { syncedAt: optional(syncedAt), staleSince: optional(staleSince) };
}

/**
 * They answer from the mirror, however it is with the source. What partner orders have been given shows at once to who
 * has processed them: so they wait until this context has heard what orders said before.
 */
function mirrorRoutes(app: HttpApp, { db }: WarehouseRoutes): void {
  read(app, {
    method: 'GET',
    url: '/api/warehouses',
    access: ['staff'],
    summary: 'Warehouses as the outside source lists them, by their ids',
    schema: { querystring: PageQuery, response: WarehousePage },
    async handle({ query }) {
      const paging = paged(query, ['text']);
      if (!paging.ok) return paging.refusal;
      const [rows, age] = await Promise.all([listWarehouses(db, paging.value), mirrorAge(db)]);
      const view = ({ missingSince, ...warehouse }: (typeof rows)[number]) => {
        return { ...warehouse, missingSince: optional(missingSince) };
      };
      return { ...page(rows, paging.value.limit, view, ({ id }) => [id]), ...age };
    },
  });
  read(app, {
    method: 'GET',
    url: '/api/warehouses/:id/stock',
    access: ['staff'],
    summary: 'What a warehouse has, by sku: as the source says, and what is allocated here',
    schema: { params: WarehouseParams, querystring: PageQuery, response: WarehouseStockPage },
    problems: NOT_FOUND,
    async handle({ params, query }) {
      await app.settled('orders');
      const paging = paged(query, ['text']);
      if (!paging.ok) return paging.refusal;
      const [isKnown, rows, age] = await Promise.all([
        isWarehouse(db, params.id),
        listItems(db, params.id, paging.value),
        mirrorAge(db),
      ]);
      if (!isKnown) return noSuchWarehouse;
      const view = ({ missingSince, ...item }: (typeof rows)[number]) => {
        return { ...item, missingSince: optional(missingSince) };
      };
      return { ...page(rows, paging.value.limit, view, ({ sku }) => [sku]), ...age };
    },
  });
}

function movementView({ id: _id, at, reference, ...movement }: WarehouseMovement): WarehouseMovementView {
  return { ...movement, at: formatInstant(at), ...(reference === null ? {} : { reference }) };
}

function movementRoute(app: HttpApp, { db }: WarehouseRoutes): void {
  read(app, {
    method: 'GET',
    url: '/api/warehouses/:id/movements',
    access: ['staff'],
    summary: 'Every change of a quantity in a warehouse, newest first',
    schema: { params: WarehouseParams, querystring: PageQuery, response: WarehouseMovementPage },
    problems: NOT_FOUND,
    async handle({ params, query }) {
      await app.settled('orders');
      const paging = paged(query, ['integer']);
      if (!paging.ok) return paging.refusal;
      if (!(await isWarehouse(db, params.id))) return noSuchWarehouse;
      const rows = await listMovements(db, params.id, paging.value);
      return page(rows, paging.value.limit, movementView, ({ id }) => [id]);
    },
  });
}

const RETRY = { 'retry-after': '10' };

function syncRoute(app: HttpApp, { db, clock, warehouses }: WarehouseRoutes): void {
  write(app, {
    method: 'POST',
    url: '/api/warehouses/sync',
    access: ['manager'],
    summary: 'Mirror the warehouses now',
    description: 'Asks the source and waits for it, ten seconds at most. What is broken in any part changes nothing.',
    schema: { response: { 200: WarehouseSyncView } },
    problems: { 'no-source': 409, 'source-unavailable': 503 },
    db,
    prepare: async () => warehouses?.ask(),
    async handle(_request, tx, asked) {
      if (asked === undefined) return problem('no-source', { detail: 'No warehouse source is set (WAREHOUSE_URL).' });
      const outcome = await applyAnswer(tx, asked, clock);
      if (outcome.kind === 'failed') {
        const { detail, faults } = outcome;
        return problem('source-unavailable', { detail, faults, ...(await mirrorAge(tx)) }, RETRY);
      }
      const [age, counts] = [await mirrorAge(tx), await countWarehouses(tx)];
      const { changed, missing } = outcome.kind === 'synced' ? outcome : { changed: 0, missing: 0 };
      return answer(200, { ...age, ...counts, changed, missing });
    },
  });
}

/** A refused transfer as the caller reads it. */
function refusedTransfer(refusal: TransferRefusal) {
  const impossible = (pointer: string, detail: string) =>
    problem('invalid-request', { detail: 'The goods cannot be so.', errors: [{ pointer, detail }] });
  switch (refusal.kind) {
    case 'unknown-warehouse':
      return noSuchWarehouse;
    case 'unknown-site':
      return problem('not-found', { detail: 'There is no such site.' });
    case 'unknown-product':
      return problem('not-found', { detail: 'There is no such product.' });
    case 'not-kept-as-units':
      return problem(refusal.kind, { detail: 'The product is made to order; only what is kept as units is moved.' });
    case 'not-in-warehouse':
      return problem(refusal.kind, { detail: 'The warehouse lists no such item.', sku: refusal.sku });
    case 'not-enough': {
      const { sku, wanted, available } = refusal;
      const shortages = [{ sku, wanted, available }];
      return problem('insufficient-stock', { detail: 'Less than that is free in the warehouse.', shortages });
    }
    case 'other-currency':
      return impossible('/productId', `must cost in the currency of the site, ${refusal.currency}`);
    case 'made-in-the-future':
      return impossible('/madeAt', 'must not be later than now');
    case 'no-moment':
      return impossible('/madeAt', 'must be a moment since 2000-01-01');
  }
}

const transferProblems = {
  ...NOT_FOUND,
  'not-kept-as-units': 409,
  'not-in-warehouse': 409,
  'insufficient-stock': 409,
} as const;

function transferRoute(app: HttpApp, { db, ids }: WarehouseRoutes): void {
  write(app, {
    method: 'POST',
    url: '/api/warehouses/:id/transfers',
    access: ['staff'],
    summary: 'Bring goods from a warehouse to a site, where they become units',
    schema: { params: WarehouseParams, body: TransferDraft, response: { 201: TransferView } },
    problems: transferProblems,
    db,
    async handle({ params, body, now }, tx) {
      const moved = await transferGoods(tx, ids, ids.next(), { ...body, warehouseId: params.id }, now);
      return moved.ok ? answer(201, moved.value) : refusedTransfer(moved.refusal);
    },
  });
}
