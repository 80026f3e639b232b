import { IdParams, OrderDraft, OrderPage, OrderQuery, OrderStatusDraft, OrderView } from '@provender/contracts';
import {
  actsAs,
  answer,
  type ContextPlatform,
  command,
  type HttpApp,
  isRefused,
  keyReused,
  page,
  paged,
  problem,
  read,
  type UserCaller,
  write,
} from '@provender/platform';
import { type Buyer, readDraft } from '../domain/draft.ts';
import { outcomeOf } from '../domain/order.ts';
import { orderView } from './order-view.ts';
import {
  draftProblem,
  orderProblem,
  placementProblem,
  purchaseProblems,
  rejectionProblem,
  transitionProblems,
} from './problems.ts';
import { listOrders, readOrders } from '../store.ts';
import type { OutcomeWaiters } from '../use-cases/await-outcome.ts';
import { cancelOrder } from '../use-cases/cancel-order.ts';
import { changeStatus } from '../use-cases/change-status.ts';
import type { PlaceOrder, PlaceOutcome } from '../use-cases/place-orders.ts';

type OrdersPlatform = Pick<ContextPlatform, 'db' | 'ids' | 'submit' | 'durable'>;

/** Registers the routes of orders. Partners' orders are elsewhere. */
export function orderRoutes(app: HttpApp, platform: OrdersPlatform, waiters: OutcomeWaiters): void {
  placeRoute(app, platform, waiters);
  readRoutes(app, platform);
  changeRoutes(app, platform);
}

function placeRoute(app: HttpApp, { ids, submit, durable }: OrdersPlatform, waiters: OutcomeWaiters): void {
  command(app, {
    method: 'POST',
    url: '/api/orders',
    access: ['customer', 'staff'],
    summary: 'Order, and wait for the outcome',
    description:
      'Answers when the units are set aside and paid for (201) or refused (409, 402); with `Prefer: respond-async`, ' +
      'or after ten seconds, 202 with the `Location` of the order. A repeat with the same Idempotency-Key waits ' +
      'for the outcome of the first and gives its answer again.',
    schema: { body: OrderDraft, response: { 201: OrderView, 202: OrderView } },
    problems: purchaseProblems,
    async handle({ body, caller, idempotency, prefersAsync, traceparent }) {
      const buyer = viewerOf(caller);
      const wanted = readDraft(body, buyer);
      if (!wanted.ok) return draftProblem(wanted.refusal);
      const order: PlaceOrder = {
        ...wanted.value,
        orderId: ids.next(),
        placedBy: buyer.id,
        note: body.note ?? null,
        key: idempotency,
        traceparent,
      };
      // The intake of this context answers each of its commands with one of these.
      const outcome = (await submit(order)) as PlaceOutcome;
      const answered = await purchaseAnswer(outcome, buyer, prefersAsync, waiters);
      await durable();
      // What was set aside goes back to the shelf, which the next look at the menu is to find.
      if (isRefused(answered) && answered.kind === 'payment-declined') await app.settled();
      return answered;
    },
  });
}

const REPLAYED = { 'idempotency-replayed': 'true' };
const NO_HEADERS = {};

/** The answer to a purchase: its outcome when there is one in time, else where to ask for it. */
async function purchaseAnswer(placed: PlaceOutcome, buyer: Buyer, prefersAsync: boolean, waiters: OutcomeWaiters) {
  if (placed.kind === 'key-reused') return keyReused;
  const replayed = placed.isRepeat ? REPLAYED : NO_HEADERS;
  if (placed.kind === 'refused') return placementProblem(placed.refusal, replayed);
  const { order } = placed;
  const outcome = prefersAsync ? outcomeOf(order) : await waiters.outcome(order);
  const location = { location: `/api/orders/${order.id}` };
  if (outcome === undefined) {
    const applied = prefersAsync ? { 'preference-applied': 'respond-async' } : NO_HEADERS;
    return answer(202, orderView(order, buyer), { ...location, ...applied });
  }
  if (outcome.kind === 'rejected') return rejectionProblem(order.id, outcome.rejection, replayed);
  return answer(201, orderView(outcome.order, buyer), { ...location, ...replayed });
}

function readRoutes(app: HttpApp, { db }: OrdersPlatform): void {
  read(app, {
    method: 'GET',
    url: '/api/orders/:id',
    access: ['customer', 'staff'],
    summary: 'One order, with its history',
    schema: { params: IdParams, response: OrderView },
    async handle({ params, caller }) {
      const viewer = viewerOf(caller);
      const order = (await readOrders(db, [params.id])).get(params.id);
      if (order === undefined || !(viewer.isStaff || order.customerId === viewer.id)) {
        return problem('not-found', { detail: 'There is no such order.' });
      }
      return orderView(order, viewer);
    },
  });

  read(app, {
    method: 'GET',
    url: '/api/orders',
    access: ['customer', 'staff'],
    summary: 'Orders, newest first: all for staff, their own for customers',
    schema: { querystring: OrderQuery, response: OrderPage },
    async handle({ query, caller }) {
      const viewer = viewerOf(caller);
      const paging = paged(query, ['uuid']);
      if (!paging.ok) return paging.refusal;
      const customerId = viewer.isStaff ? query.customerId : viewer.id;
      if (query.customerId !== undefined && query.customerId !== customerId) return { items: [] };
      const rows = await listOrders(db, { ...query, customerId }, paging.value);
      return page(
        rows,
        paging.value.limit,
        (order) => orderView(order, viewer),
        (order) => [order.id],
      );
    },
  });
}

function changeRoutes(app: HttpApp, { db }: OrdersPlatform): void {
  write(app, {
    method: 'PATCH',
    url: '/api/orders/:id',
    access: ['staff'],
    summary: 'Move an order along: into preparation, ready, delivered',
    schema: { params: IdParams, body: OrderStatusDraft, response: { 200: OrderView } },
    db,
    problems: transitionProblems,
    async handle({ params, body, caller, now }, tx) {
      const changed = await changeStatus(tx, params.id, body.status, caller.id, now);
      return changed.ok ? answer(200, orderView(changed.value, viewerOf(caller))) : orderProblem(changed.refusal);
    },
  });

  write(app, {
    method: 'POST',
    url: '/api/orders/:id/cancel',
    access: ['customer', 'staff'],
    summary: 'Cancel an order: the money goes back, the units too while they are fresh',
    schema: { params: IdParams, response: { 200: OrderView } },
    db,
    problems: transitionProblems,
    async handle({ params, caller, now }, tx) {
      const viewer = viewerOf(caller);
      const cancelled = await cancelOrder(tx, params.id, viewer, now);
      return cancelled.ok ? answer(200, orderView(cancelled.value, viewer)) : orderProblem(cancelled.refusal);
    },
  });
}

function viewerOf(caller: UserCaller): Buyer {
  return { id: caller.id, isStaff: actsAs(caller, 'staff') };
}
