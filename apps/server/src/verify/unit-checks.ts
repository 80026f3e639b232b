import type { Check } from './checks.ts';

const contexts = ['inventory'] as const;

/** How many of the latest holds the check of P3 looks at: each is compared with all units of its product. */
const LATEST_HOLDS = 2_000;

export const unitChecks: readonly Check[] = [
  {
    name: 'a unit is in one hold or sale at most',
    promise: 'P1',
    kind: 'safety',
    contexts,
    sql: `
      SELECT unit_id AS "unitId", array_agg(order_id) AS "orderIds"
      FROM inventory.holds, unnest(unit_ids) AS unit_id
      WHERE state IN ('held', 'allocated', 'sold') AND expires_at >= :since
      GROUP BY unit_id HAVING count(*) > 1`,
  },
  {
    name: 'a unit that is held, allocated or sold is so for the order of its hold',
    promise: 'P1',
    kind: 'safety',
    contexts,
    sql: `
      SELECT units.id AS "unitId", units.state, units.order_id AS "orderId", holds.state AS "holdState"
      FROM inventory.units LEFT JOIN inventory.holds ON holds.order_id = units.order_id
      WHERE units.state IN ('held', 'allocated', 'sold') AND units.state_at >= :since
        AND (holds.order_id IS NULL OR holds.state <> units.state::text OR units.id <> ALL (holds.unit_ids))`,
  },
  {
    name: 'a hold has all its units',
    promise: 'P1',
    kind: 'safety',
    contexts,
    sql: `
      SELECT holds.order_id AS "orderId", holds.state, cardinality(holds.unit_ids) AS wanted, found.count
      FROM inventory.holds CROSS JOIN LATERAL (
        SELECT count(*) FROM inventory.units
        WHERE units.id = ANY (holds.unit_ids) AND units.order_id = holds.order_id AND units.state::text = holds.state
      ) AS found
      WHERE holds.state IN ('held', 'allocated', 'sold') AND holds.expires_at >= :since
        AND found.count <> cardinality(holds.unit_ids)`,
  },
  {
    name: "a unit's history is a legal walk without gaps that ends in its state",
    promise: 'P1',
    kind: 'safety',
    contexts,
    sql: `
      SELECT id AS "unitId", state FROM inventory.units
      WHERE state_at >= :since AND (
        cardinality(steps) = 0 OR steps[1].state <> 'available' OR steps[cardinality(steps)].state <> state
        OR EXISTS (
          SELECT FROM generate_series(2, cardinality(steps)) AS n
          WHERE NOT inventory.unit_may_become(steps[n - 1].state, steps[n].state) OR steps[n].at < steps[n - 1].at
        ))`,
  },
  {
    name: 'a hold was given only on units that stay fresh until its end',
    promise: 'P2',
    kind: 'safety',
    contexts,
    sql: `
      SELECT holds.order_id AS "orderId", units.id AS "unitId", units.stale_at AS "staleAt"
      FROM inventory.holds JOIN inventory.units ON units.id = ANY (holds.unit_ids)
      WHERE holds.expires_at >= :since AND units.stale_at <= holds.expires_at`,
  },
  {
    name: 'no stale unit is left on sale by the sweep',
    promise: 'P2',
    kind: 'liveness',
    contexts,
    sql: `
      SELECT id AS "unitId", stale_at AS "staleAt" FROM inventory.units
      WHERE is_available AND stale_at < :now - interval '15 minutes' - :patience`,
  },
  {
    name: `a sale did not skip an older fresh unit that was free (the latest ${LATEST_HOLDS} units held)`,
    promise: 'P3',
    kind: 'safety',
    contexts,
    // Units that came or went within :patience of the hold are left aside: a step carries the moment at which its
    // transaction began to decide, and transactions commit in another order than they begin.
    sql: `
      WITH taken AS (
        SELECT units.id, units.site_id, units.product_id, units.made_at, step.at, holds.order_id, holds.expires_at
        FROM inventory.units CROSS JOIN LATERAL unnest(units.steps) AS step
        JOIN inventory.holds ON holds.order_id = step.order_id
        WHERE step.state = 'held' AND units.state_at >= :since ORDER BY step.at DESC LIMIT ${LATEST_HOLDS}
      )
      SELECT taken.order_id AS "orderId", taken.id AS "unitId", older.id AS "olderUnitId"
      FROM taken JOIN inventory.units AS older
        ON older.site_id = taken.site_id AND older.product_id = taken.product_id AND older.made_at < taken.made_at
      WHERE (older.stale_at IS NULL OR older.stale_at > taken.expires_at + :patience)
        AND (older.is_available OR older.state_at > taken.at)
        AND EXISTS (
          SELECT FROM generate_subscripts(older.steps, 1) AS n
          WHERE older.steps[n].state = 'available' AND older.steps[n].at < taken.at - :patience
            AND (n = cardinality(older.steps) OR older.steps[n + 1].at > taken.at + :patience)
        )`,
  },
  {
    name: 'no hold outlives its end by more than a minute',
    promise: 'P4',
    kind: 'liveness',
    contexts,
    sql: `
      SELECT order_id AS "orderId", expires_at AS "expiresAt" FROM inventory.holds
      WHERE state = 'held' AND expires_at < :now - :patience`,
  },
  {
    name: 'a held or allocated unit ends when its order has ended',
    promise: 'P4',
    kind: 'liveness',
    contexts: ['inventory', 'orders'],
    sql: `
      SELECT holds.order_id AS "orderId", holds.state, orders.status
      FROM inventory.holds JOIN orders.orders ON orders.id = holds.order_id
      WHERE holds.state IN ('held', 'allocated') AND orders.status IN ('delivered', 'cancelled', 'rejected')
        AND orders.updated_at < :now - :patience`,
  },
];
