import type { Plant } from './plants.ts';

const HISTORY = "a unit's history is a legal walk that ends in its state";
const ITS_HOLD = 'a unit that is held, allocated or sold is so for the order of its hold';
const ALL_UNITS = 'an open hold, or a sale, has all its units';
const FRESH = 'a hold was given only on units that stay fresh until its end';

/** A unit in a state, the same one each time. */
function unit(state: string): string {
  return `(SELECT id FROM inventory.units WHERE state = '${state}' AND stale_at IS NOT NULL ORDER BY id LIMIT 1)`;
}

/** The order of a hold in a state. */
function holder(state: string): string {
  return `(SELECT order_id FROM inventory.holds WHERE state = '${state}' ORDER BY order_id LIMIT 1)`;
}

const soldOnce: readonly Plant[] = [
  {
    what: 'a unit that two orders have',
    breaks: 'a unit is in one open hold or sale at most',
    breaksToo: [ITS_HOLD],
    // A unit of today, which was still fresh at the end of the first hold of all.
    sql: [
      `UPDATE inventory.holds SET unit_ids[1] = (
         SELECT id FROM inventory.units WHERE state = 'sold' ORDER BY stale_at DESC LIMIT 1)
       WHERE order_id = (SELECT order_id FROM inventory.holds WHERE state = 'sold' ORDER BY expires_at LIMIT 1)`,
    ],
  },
  {
    what: 'a unit that its hold does not know',
    breaks: ITS_HOLD,
    sql: [`UPDATE inventory.holds SET unit_ids[1] = gen_random_uuid() WHERE order_id = ${holder('sold')}`],
  },
  {
    what: 'a hold that lacks a unit',
    breaks: ALL_UNITS,
    sql: [`UPDATE inventory.holds SET unit_ids = unit_ids || gen_random_uuid() WHERE order_id = ${holder('held')}`],
  },
  {
    what: 'a unit that was sold from the shelf without a hold',
    breaks: HISTORY,
    sql: [`UPDATE inventory.units SET steps = ARRAY[steps[1], steps[cardinality(steps)]] WHERE id = ${unit('sold')}`],
  },
  {
    what: 'a unit that was sold, came back and was sold again',
    breaks: HISTORY,
    sql: [`UPDATE inventory.units SET steps = steps || steps WHERE id = ${unit('sold')}`],
  },
  {
    what: 'a unit whose history says when it was sold, and its row says another moment',
    breaks: HISTORY,
    sql: [`UPDATE inventory.units SET state_at = state_at + interval '1 second' WHERE id = ${unit('sold')}`],
  },
  {
    what: 'a unit that was held for one order and sold to another',
    breaks: HISTORY,
    sql: [
      `UPDATE inventory.units
       SET steps[2] = ROW(steps[2].state, steps[2].at, gen_random_uuid(), NULL)::inventory.unit_step
       WHERE id = ${unit('sold')}`,
    ],
  },
  {
    what: 'a unit that was held before it was made',
    breaks: HISTORY,
    sql: [
      `UPDATE inventory.units SET
         steps[1] = ROW('available', steps[1].at + interval '1 hour', NULL, NULL)::inventory.unit_step
       WHERE id = ${unit('sold')}`,
    ],
  },
  {
    what: 'a batch with a unit too few',
    breaks: 'a batch has as many units as it was made of',
    sql: ["UPDATE inventory.batches SET quantity = quantity + 1 WHERE source = 'receipt'"],
  },
];

const fresh: readonly Plant[] = [
  {
    what: 'a hold that goes on when its unit is stale',
    breaks: FRESH,
    sql: [
      `UPDATE inventory.holds SET expires_at = units.stale_at FROM inventory.units
       WHERE units.id = ${unit('sold')} AND holds.order_id = units.order_id`,
    ],
  },
  {
    what: 'a unit that was nearly stale when it was held, for a moment',
    breaks: 'no unit was set aside when it was stale, or would be before the payment',
    sql: [
      `UPDATE inventory.units SET stale_at = steps[2].at + interval '1 minute' WHERE id = ${unit('sold')}`,
      `UPDATE inventory.holds SET expires_at = units.stale_at - interval '1 second' FROM inventory.units
       WHERE units.id = ${unit('sold')} AND holds.order_id = units.order_id`,
    ],
  },
  {
    what: 'stale goods that the sweep has left',
    breaks: 'no stale unit is left on sale by the sweep',
    sql: [
      `UPDATE inventory.units SET stale_at = :now - interval '17 minutes' WHERE is_available`,
      `UPDATE catalog.menu_stock SET stale_at = :now - interval '17 minutes' WHERE available > 0`,
    ],
  },
];

const OLDEST = 'a sale did not skip an older fresh unit that was free (the latest 1000 holds)';

const oldestFirst: readonly Plant[] = [
  {
    what: 'an older unit that is still on the shelf',
    breaks: OLDEST,
    sql: [
      `UPDATE inventory.units AS older SET made_at = sold.made_at - interval '1 hour',
         state_at = sold.made_at - interval '1 hour',
         steps = ARRAY[ROW('available', sold.made_at - interval '1 hour', NULL, NULL)::inventory.unit_step]
       FROM inventory.units AS sold
       WHERE older.id = ${unit('available')} AND sold.state = 'allocated' AND sold.product_id = older.product_id`,
    ],
  },
  {
    what: 'an older unit that was free then and was thrown out later',
    breaks: OLDEST,
    breaksToo: [
      'every unit that was thrown out stands in the waste book, once',
      'the menu has on its shelves what inventory has on its own',
      'notifications counts what is free as inventory does',
    ],
    sql: [
      `UPDATE inventory.units AS older SET made_at = sold.made_at - interval '1 hour', state = 'discarded',
         state_at = :now, steps = ARRAY[
           ROW('available', sold.made_at - interval '1 hour', NULL, NULL)::inventory.unit_step,
           ROW('discarded', :now, NULL, 'damaged')::inventory.unit_step]
       FROM inventory.units AS sold
       WHERE older.id = ${unit('available')} AND sold.state = 'allocated' AND sold.product_id = older.product_id`,
    ],
  },
];

const holdsEnd: readonly Plant[] = [
  {
    what: 'a hold that nobody ended',
    breaks: 'no hold outlives its end by more than a minute',
    sql: [`UPDATE inventory.holds SET expires_at = :now - interval '2 minutes' WHERE state = 'held'`],
  },
  {
    what: 'units that are held for an order that was rejected',
    breaks: 'a held or allocated unit ends when its order has ended',
    sql: [
      `UPDATE orders.orders SET status = 'rejected', reason = 'insufficient-stock',
         updated_at = :now - interval '2 minutes', history = history
           || jsonb_build_object('status', 'rejected', 'at', :now - interval '2 minutes')
       WHERE status = 'placed'`,
    ],
  },
  {
    what: 'units that were set aside for nobody',
    breaks: 'units are set aside only for an order that was placed',
    sql: [
      `INSERT INTO inventory.holds (order_id, site_id, unit_ids, expires_at, state)
       SELECT gen_random_uuid(), site_id, ARRAY[id], state_at, 'expired' FROM inventory.units
       WHERE id = ${unit('available')}`,
    ],
  },
];

export const unitPlants: readonly Plant[] = [...soldOnce, ...fresh, ...oldestFirst, ...holdsEnd];
