import type { Check } from './checks.ts';

// P1 for goods that are counted and not numbered: what is set aside for one is not given to another.

/** The ledger of allocations, the movements and the mirror tell the same. */
const books: readonly Check[] = [
  {
    name: 'a warehouse item has allocated what its open allocations say',
    promise: 'P1',
    kind: 'safety',
    contexts: ['inventory'],
    sql: `
      SELECT items.warehouse_id AS "warehouseId", items.sku, items.allocated, coalesce(open.quantity, 0) AS ledger
      FROM inventory.warehouse_items AS items FULL JOIN (
        SELECT warehouse_id, sku, sum(quantity) AS quantity FROM inventory.warehouse_allocations
        WHERE released_at IS NULL GROUP BY warehouse_id, sku
      ) AS open ON open.warehouse_id = items.warehouse_id AND open.sku = items.sku
      WHERE items.allocated IS DISTINCT FROM coalesce(open.quantity, 0)`,
  },
  {
    name: 'every quantity of a warehouse is the sum of its movements',
    promise: 'P1',
    kind: 'safety',
    contexts: ['inventory'],
    sql: `
      SELECT coalesce(items.warehouse_id, moved.warehouse_id) AS "warehouseId", coalesce(items.sku, moved.sku) AS sku,
        items.quantity, moved.quantity AS "movedQuantity", items.allocated, moved.allocated AS "movedAllocated"
      FROM inventory.warehouse_items AS items FULL JOIN (
        SELECT warehouse_id, sku, sum(quantity_change) AS quantity, sum(allocated_change) AS allocated
        FROM inventory.warehouse_movements GROUP BY warehouse_id, sku
      ) AS moved ON moved.warehouse_id = items.warehouse_id AND moved.sku = items.sku
      WHERE items.quantity IS DISTINCT FROM coalesce(moved.quantity, 0)
        OR items.allocated IS DISTINCT FROM coalesce(moved.allocated, 0)`,
  },
  {
    name: 'no more of a warehouse was set aside than was there',
    promise: 'P1',
    kind: 'safety',
    contexts: ['inventory'],
    // The source may have less later on; what counts is the moment at which it was given.
    sql: `
      SELECT id, warehouse_id AS "warehouseId", sku, quantity, allocated FROM inventory.warehouse_movements
      WHERE allocated_change > 0 AND allocated > quantity AND at >= :since`,
  },
  {
    name: 'a transfer took from its warehouse what it made at its site',
    promise: 'P1',
    kind: 'safety',
    contexts: ['inventory'],
    sql: `
      SELECT coalesce(batches.id, taken.reference) AS "batchId", batches.quantity, taken.quantity AS taken
      FROM (SELECT * FROM inventory.batches WHERE source = 'transfer') AS batches FULL JOIN (
        SELECT reference, sum(quantity) AS quantity FROM inventory.warehouse_allocations WHERE purpose = 'transfer'
        GROUP BY reference
      ) AS taken ON taken.reference = batches.id
      WHERE batches.quantity IS DISTINCT FROM taken.quantity`,
  },
];

/** What a partner order was given, by item, in the attempt that counts. */
const GIVEN = `
  SELECT reference, attempt, sku, sum(quantity) AS quantity FROM inventory.warehouse_allocations
  WHERE purpose = 'partner-order' AND released_at IS NULL GROUP BY reference, attempt, sku`;

/** Two contexts keep it together: what the one says of its orders, the other has set aside. */
const partnerOrders: readonly Check[] = [
  {
    name: 'a processed partner order has all that it wants, and no more',
    promise: 'P1',
    kind: 'liveness',
    contexts: ['inventory', 'orders'],
    sql: `
      WITH given AS MATERIALIZED (${GIVEN}), wanted AS MATERIALIZED (
        SELECT orders.id, orders.attempt, item.sku, item.quantity FROM orders.partner_orders AS orders
        CROSS JOIN LATERAL jsonb_to_recordset(orders.items) AS item (sku text, quantity double precision)
        WHERE orders.status = 'PROCESSED' AND orders.updated_at < :now - :patience
      )
      SELECT wanted.id AS "partnerOrderId", wanted.sku, wanted.quantity AS wanted, given.quantity AS given
      FROM wanted LEFT JOIN given
        ON given.reference = wanted.id AND given.attempt = wanted.attempt AND given.sku = wanted.sku
      WHERE given.quantity IS DISTINCT FROM wanted.quantity`,
  },
  {
    name: 'stock of a warehouse is set aside only for a partner order that is processed',
    promise: 'P1',
    kind: 'liveness',
    contexts: ['inventory', 'orders'],
    sql: `
      SELECT given.reference AS "partnerOrderId", given.attempt, given.sku, given.quantity, orders.status
      FROM (${GIVEN}) AS given LEFT JOIN orders.partner_orders AS orders
        ON orders.id = given.reference AND orders.updated_at >= :now - :patience
          OR orders.id = given.reference AND orders.status = 'PROCESSED' AND orders.attempt = given.attempt
            AND EXISTS (SELECT FROM jsonb_array_elements(orders.items) AS item WHERE item ->> 'sku' = given.sku)
      WHERE orders.id IS NULL`,
  },
  {
    name: 'a partner order that was asked for is decided',
    promise: 'P7',
    kind: 'liveness',
    contexts: ['orders'],
    sql: `
      SELECT id AS "partnerOrderId", number, attempt, updated_at AS "askedAt" FROM orders.partner_orders
      WHERE is_asked AND updated_at < :now - :patience`,
  },
  {
    name: 'a run of partner orders counts each once',
    promise: 'P7',
    kind: 'safety',
    contexts: ['orders'],
    sql: `
      SELECT runs.id AS "runId", runs.total, runs.processed, runs.failed, runs.dropped, coalesce(open.count, 0) AS open
      FROM orders.partner_runs AS runs LEFT JOIN (
        SELECT run_id, count(*) FROM orders.partner_orders WHERE is_asked GROUP BY run_id
      ) AS open ON open.run_id = runs.id
      WHERE runs.total <> runs.processed + runs.failed + runs.dropped + coalesce(open.count, 0)`,
  },
];

export const warehouseChecks: readonly Check[] = [...books, ...partnerOrders];
