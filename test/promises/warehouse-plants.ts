import type { Plant } from './plants.ts';

const LEDGER = 'a warehouse item has allocated what its open allocations say';
const MOVEMENTS = 'every quantity of a warehouse is the sum of its movements';
const ONLY_PROCESSED = 'stock of a warehouse is set aside only for a partner order that is processed';

/** The lines that every plant begins with: a warehouse with ten sacks, of which a processed partner order has four. */
const valid: readonly string[] = [
  "INSERT INTO inventory.warehouses (id, name) VALUES ('w1', 'North')",
  `INSERT INTO inventory.warehouse_items (warehouse_id, sku, name, quantity, allocated)
   VALUES ('w1', 'FLOUR', 'Flour', 10, 4)`,
  `INSERT INTO inventory.warehouse_movements
     (warehouse_id, sku, at, kind, quantity_change, allocated_change, quantity, allocated)
   VALUES ('w1', 'FLOUR', :now, 'synced', 10, 0, 10, 0), ('w1', 'FLOUR', :now, 'allocated', 0, 4, 10, 4)`,
  `INSERT INTO orders.partner_runs (id, started_at, is_complete, total, processed)
   VALUES ('01900000-0000-7000-8000-00000000aaaa', :now, true, 1, 1)`,
  `INSERT INTO orders.partner_orders
     (id, number, items, total_quantity, imported_at, status, attempt, run_id, updated_at)
   VALUES ('01900000-0000-7000-8000-00000000bbbb', '1', '[{"sku": "FLOUR", "quantity": 4}]', 4, :now, 'PROCESSED', 1,
     '01900000-0000-7000-8000-00000000aaaa', :now - interval '2 minutes')`,
  `INSERT INTO inventory.warehouse_allocations
     (reference, attempt, warehouse_id, sku, purpose, quantity, allocated_at)
   VALUES ('01900000-0000-7000-8000-00000000bbbb', 1, 'w1', 'FLOUR', 'partner-order', 4, :now)`,
];

function planted(what: string, breaks: string, sql: readonly string[], breaksToo: readonly string[] = []): Plant {
  return { what, breaks, breaksToo, sql: [...valid, ...sql] };
}

export const warehousePlants: readonly Plant[] = [
  planted('an item of which less is allocated than was given', LEDGER, [
    'UPDATE inventory.warehouse_items SET allocated = 3',
    "UPDATE inventory.warehouse_movements SET allocated_change = 3, allocated = 3 WHERE kind = 'allocated'",
  ]),
  planted(
    'an allocation of an item that nobody lists',
    LEDGER,
    ["UPDATE inventory.warehouse_allocations SET sku = 'SUGAR'"],
    ['a processed partner order has all that it wants, and no more', ONLY_PROCESSED],
  ),
  planted('a quantity that nobody moved', MOVEMENTS, ['UPDATE inventory.warehouse_items SET quantity = quantity + 1']),
  planted('a movement that is gone', MOVEMENTS, ["DELETE FROM inventory.warehouse_movements WHERE kind = 'synced'"]),
  planted('more set aside than there is', 'no more of a warehouse was set aside than was there', [
    'ALTER TABLE inventory.warehouse_movements DROP CONSTRAINT never_more_than_is_there',
    "UPDATE inventory.warehouse_movements SET quantity = 3 WHERE kind = 'allocated'",
  ]),
  planted('a transfer that made goods out of nothing', 'a transfer took from its warehouse what it made at its site', [
    `UPDATE inventory.batches SET source = 'transfer' WHERE id = (
       SELECT id FROM inventory.batches WHERE source = 'receipt' ORDER BY id LIMIT 1)`,
  ]),
  planted(
    'a processed partner order with less than it wants',
    'a processed partner order has all that it wants, and no more',
    [`UPDATE orders.partner_orders SET items = '[{"sku": "FLOUR", "quantity": 5}]'`],
  ),
  planted('stock that is kept for an order that failed', ONLY_PROCESSED, [
    "UPDATE orders.partner_orders SET status = 'FAILED', reason = 'insufficient-stock'",
    'UPDATE orders.partner_runs SET processed = 0, failed = 1',
  ]),
  planted(
    'a partner order that nobody answers',
    'a partner order that was asked for is decided',
    [
      "UPDATE orders.partner_orders SET status = 'NEW', is_asked = true",
      'UPDATE orders.partner_runs SET processed = 0',
    ],
    [ONLY_PROCESSED],
  ),
  planted('a run that has lost an order', 'a run of partner orders counts each once', [
    'UPDATE orders.partner_runs SET total = 2',
  ]),
];
