import type { Check } from './checks.ts';

const contexts = ['orders', 'bank'] as const;

export const orderChecks: readonly Check[] = [
  {
    name: 'an order that is being served is charged once, its total, and not refunded',
    promise: 'P6',
    kind: 'safety',
    contexts,
    sql: `
      SELECT orders.id AS "orderId", orders.status, orders.total_amount AS total,
        capture.amount AS captured, refund.amount AS refunded
      FROM orders.orders
      LEFT JOIN bank.transactions AS capture ON capture.order_id = orders.id AND capture.kind = 'capture'
      LEFT JOIN bank.transactions AS refund ON refund.order_id = orders.id AND refund.kind = 'refund'
      WHERE orders.status IN ('waiting', 'preparation', 'ready', 'delivered') AND orders.placed_at >= :since
        AND (capture.amount IS DISTINCT FROM orders.total_amount OR refund.id IS NOT NULL)`,
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
    name: 'a refund gives back what was charged, once',
    promise: 'P6',
    kind: 'safety',
    contexts: ['bank'],
    sql: `
      SELECT later.order_id AS "orderId", count(*) FILTER (WHERE later.kind = 'refund') AS refunds
      FROM bank.transactions AS later
      WHERE later.order_id IN (
        SELECT order_id FROM bank.transactions WHERE order_id IS NOT NULL AND at >= :since
      )
      GROUP BY later.order_id
      HAVING count(*) FILTER (WHERE kind = 'capture') > 1 OR count(*) FILTER (WHERE kind = 'refund') > 1
        OR coalesce(sum(amount) FILTER (WHERE kind = 'refund'), 0)
          > coalesce(sum(amount) FILTER (WHERE kind = 'capture'), 0)`,
  },
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
      SELECT orders.id AS "orderId", orders.status, wanted.quantity, holds.state
      FROM orders.orders CROSS JOIN LATERAL (
        SELECT coalesce(sum((line ->> 'quantity')::integer), 0) AS quantity
        FROM jsonb_array_elements(orders.lines) AS line WHERE line ->> 'stock' = 'unit'
      ) AS wanted
      LEFT JOIN inventory.holds ON holds.order_id = orders.id
      WHERE orders.status IN ('waiting', 'preparation', 'ready', 'delivered') AND orders.placed_at >= :since
        AND orders.updated_at < :now - :patience AND wanted.quantity > 0
        AND (holds.order_id IS NULL OR cardinality(holds.unit_ids) <> wanted.quantity
          OR holds.state <> CASE WHEN orders.status = 'delivered' THEN 'sold' ELSE 'allocated' END)`,
  },
  {
    name: 'the total of an order is the sum of its lines',
    promise: 'P5',
    kind: 'safety',
    contexts: ['orders'],
    sql: `
      SELECT id AS "orderId", total_amount AS total FROM orders.orders
      WHERE placed_at >= :since AND total_amount <> (
        SELECT sum((line -> 'total' ->> 'amount')::bigint) FROM jsonb_array_elements(lines) AS line)`,
  },
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
];
