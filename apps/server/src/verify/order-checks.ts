import { ORDER_STATUSES, type OrderStatus, orderRules } from '@provender/contracts';
import type { Check } from './checks.ts';

const contexts = ['orders', 'bank'] as const;

const PAID: readonly OrderStatus[] = ['waiting', 'preparation', 'ready', 'delivered'];
const PAID_LIST = listOf(PAID);

/** Every step that an order may take: what the flow decides, what people may set, and what ends it. */
export function legalSteps(): string[] {
  const decided = ['waiting', 'delivered', 'rejected'].map((to) => `placed ${to}`);
  const set = ORDER_STATUSES.flatMap((from) => {
    const { staffMaySet, customerMayCancel, staffMayCancel } = orderRules[from];
    return [...staffMaySet, ...(customerMayCancel || staffMayCancel ? ['cancelled'] : [])].map((to) => `${from} ${to}`);
  });
  const holdLost = PAID.map((from) => `${from} rejected`);
  return [...decided, ...set, ...holdLost];
}

function listOf(texts: readonly string[]): string {
  return texts.map((text) => `'${text}'`).join(', ');
}

/** P6: paid means served or refunded. */
const chargedOnce: readonly Check[] = [
  {
    name: 'an order that is being served is charged once, its total, as it was to be paid, and not refunded',
    promise: 'P6',
    kind: 'safety',
    contexts,
    sql: `
      SELECT orders.id AS "orderId", orders.status, orders.total_amount AS total,
        capture.amount AS captured, refund.amount AS refunded
      FROM orders.orders
      LEFT JOIN bank.transactions AS capture ON capture.order_id = orders.id AND capture.kind = 'capture'
      LEFT JOIN bank.transactions AS refund ON refund.order_id = orders.id AND refund.kind = 'refund'
      WHERE orders.status IN (${PAID_LIST}) AND orders.placed_at >= :since
        AND (refund.id IS NOT NULL OR capture.amount IS DISTINCT FROM orders.total_amount
          OR capture.currency <> orders.currency OR capture.site_id <> orders.site_id
          OR capture.tender <> orders.tender
          OR (orders.tender = 'account' AND capture.from_account <> orders.customer_id))`,
  },
  {
    name: 'an order that ended without its goods keeps no money',
    promise: 'P6',
    kind: 'liveness',
    contexts,
    sql: `
      SELECT orders.id AS "orderId", orders.status, orders.reason, capture.amount AS captured, refund.amount AS refunded
      FROM orders.orders
      LEFT JOIN bank.transactions AS capture ON capture.order_id = orders.id AND capture.kind = 'capture'
      LEFT JOIN bank.transactions AS refund ON refund.order_id = orders.id AND refund.kind = 'refund'
      WHERE orders.status IN ('cancelled', 'rejected') AND orders.placed_at >= :since
        AND orders.updated_at < :now - :patience AND capture.amount IS DISTINCT FROM refund.amount`,
  },
  {
    name: 'an order that was refused for want of stock or money was never charged',
    promise: 'P6',
    kind: 'safety',
    contexts,
    sql: `
      SELECT orders.id AS "orderId", orders.reason, capture.amount AS captured FROM orders.orders
      JOIN bank.transactions AS capture ON capture.order_id = orders.id AND capture.kind = 'capture'
      WHERE orders.status = 'rejected' AND orders.reason IN ('insufficient-stock', 'payment-declined')
        AND orders.placed_at >= :since`,
  },
  {
    name: 'nothing is charged or refunded for an order that does not exist',
    promise: 'P6',
    kind: 'safety',
    contexts,
    sql: `
      SELECT transactions.id AS "transactionId", transactions.order_id AS "orderId" FROM bank.transactions
      LEFT JOIN orders.orders ON orders.id = transactions.order_id
      WHERE transactions.order_id IS NOT NULL AND transactions.at >= :since AND orders.id IS NULL`,
  },
  {
    name: 'an order is charged once at most, and a refund gives that back, once',
    promise: 'P6',
    kind: 'safety',
    contexts: ['bank'],
    sql: `
      SELECT order_id AS "orderId", count(*) FILTER (WHERE kind = 'capture') AS captures,
        count(*) FILTER (WHERE kind = 'refund') AS refunds
      FROM bank.transactions WHERE kind IN ('capture', 'refund') GROUP BY order_id
      HAVING max(at) >= :since AND (
        count(*) FILTER (WHERE kind = 'capture') <> 1 OR count(*) FILTER (WHERE kind = 'refund') > 1
        OR min(amount) <> max(amount))`,
  },
];

/** P6: … and served. */
const served: readonly Check[] = [
  {
    name: 'an order is decided soon after it was placed',
    promise: 'P6',
    kind: 'liveness',
    contexts: ['orders'],
    sql: `
      SELECT id AS "orderId", placed_at AS "placedAt" FROM orders.orders
      WHERE is_open AND status = 'placed' AND placed_at < :now - :patience`,
  },
  {
    name: 'a paid order has the units that it was placed for',
    promise: 'P6',
    kind: 'liveness',
    contexts: ['orders', 'inventory'],
    sql: `
      SELECT ordered.id AS "orderId", ordered.status, ordered.quantity, holds.state FROM (
        SELECT id, status, sum((line ->> 'quantity')::integer) FILTER (WHERE line ->> 'stock' = 'unit') AS quantity
        FROM (
          SELECT id, status, jsonb_array_elements(lines::jsonb) AS line FROM orders.orders
          WHERE status IN (${PAID_LIST}) AND placed_at >= :since AND updated_at < :now - :patience
        ) AS lines GROUP BY id, status
      ) AS ordered LEFT JOIN inventory.holds ON holds.order_id = ordered.id
      WHERE ordered.quantity > 0 AND (holds.order_id IS NULL OR cardinality(holds.unit_ids) <> ordered.quantity
        OR holds.state <> CASE WHEN ordered.status = 'delivered' THEN 'sold' ELSE 'allocated' END)`,
  },
  {
    name: 'units are given away only for an order that was paid',
    promise: 'P6',
    kind: 'safety',
    contexts: ['orders', 'inventory'],
    sql: `
      SELECT orders.id AS "orderId", orders.status, holds.state FROM inventory.holds
      JOIN orders.orders ON orders.id = holds.order_id
      WHERE holds.expires_at >= :since AND ((holds.state = 'sold' AND orders.status <> 'delivered')
        OR (holds.state = 'allocated' AND orders.status = 'placed'))`,
  },
  {
    name: "an order's history is a legal walk from placed to its status",
    promise: 'P6',
    kind: 'safety',
    contexts: ['orders'],
    sql: `
      SELECT id AS "orderId", status FROM orders.orders
      WHERE placed_at >= :since AND (
        history -> 0 ->> 'status' IS DISTINCT FROM 'placed' OR history -> -1 ->> 'status' IS DISTINCT FROM status
        OR (history -> -1 ->> 'at')::timestamptz IS DISTINCT FROM updated_at
        OR EXISTS (
          SELECT FROM generate_series(1, jsonb_array_length(history) - 1) AS n
          WHERE (history -> n - 1 ->> 'status') || ' ' || (history -> n ->> 'status')
            <> ALL (ARRAY[${listOf(legalSteps())}])))`,
  },
];

const priced: readonly Check[] = [
  {
    name: 'the total of an order is the sum of its lines, and each line its quantity times its price',
    promise: 'P5',
    kind: 'safety',
    contexts: ['orders'],
    sql: `
      SELECT id AS "orderId", total_amount AS total FROM (
        SELECT id, total_amount, jsonb_array_elements(lines::jsonb) AS line FROM orders.orders WHERE placed_at >= :since
      ) AS ordered GROUP BY id, total_amount
      HAVING sum((line -> 'total' ->> 'amount')::bigint) <> total_amount
        OR NOT bool_and((line -> 'total' ->> 'amount')::bigint
          = (line -> 'unitPrice' ->> 'amount')::bigint * (line ->> 'quantity')::bigint)`,
  },
];

/** P8: a retried request gives the first answer again. */
const answeredAlike: readonly Check[] = [
  {
    name: 'a key placed one order at most',
    promise: 'P8',
    kind: 'safety',
    contexts: ['orders'],
    sql: `
      SELECT placed_by AS "placedBy", idempotency_key AS key, count(*) FROM orders.orders
      WHERE idempotency_key IS NOT NULL AND placed_at >= :since
      GROUP BY placed_by, idempotency_key HAVING count(*) > 1`,
  },
  {
    name: 'a key that placed an order was not refused as well',
    promise: 'P8',
    kind: 'safety',
    contexts: ['orders'],
    sql: `
      SELECT orders.id AS "orderId", refused.key FROM orders.idempotency_keys AS refused
      JOIN orders.orders ON refused.scope = 'orders user:' || orders.placed_by || ' POST /api/orders'
        AND refused.key = orders.idempotency_key`,
  },
];

export const orderChecks: readonly Check[] = [...chargedOnce, ...served, ...priced, ...answeredAlike];
