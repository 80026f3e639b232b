import { HOLD_TIME, UNIT_STATES, unitTransitions } from '@provender/contracts';
import { SECOND } from '@provender/kernel';
import type { Check } from './checks.ts';

const contexts = ['inventory'] as const;

/** How many of the latest holds the check of P3 looks at: it compares their units with all that were free then. */
const LATEST_HOLDS = 1_000;

function legalSteps(): string {
  return UNIT_STATES.flatMap((from) => unitTransitions[from].map((to) => `('${from}', '${to}')`)).join(', ');
}

/** P1: a unit is sold at most once. */
const soldOnce: readonly Check[] = [
  {
    name: 'a unit is in one open hold or sale at most',
    promise: 'P1',
    kind: 'safety',
    contexts,
    sql: `
      WITH taken AS MATERIALIZED (
        SELECT unnest(unit_ids) AS unit_id, order_id FROM inventory.holds
        WHERE state IN ('held', 'allocated', 'sold') AND expires_at >= :since
      ), twice AS (SELECT unit_id FROM taken GROUP BY unit_id HAVING count(*) > 1)
      SELECT unit_id AS "unitId", array_agg(order_id) AS "orderIds" FROM taken JOIN twice USING (unit_id)
      GROUP BY unit_id`,
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
    name: 'an open hold, or a sale, has all its units',
    promise: 'P1',
    kind: 'safety',
    contexts,
    // The units are counted once for all holds: looking them up hold by hold took ten times as long.
    sql: `
      SELECT holds.order_id AS "orderId", holds.state, cardinality(holds.unit_ids) AS wanted,
        coalesce(found.count, 0) AS found
      FROM inventory.holds LEFT JOIN (
        SELECT order_id, state::text, count(*) FROM inventory.units WHERE order_id IS NOT NULL GROUP BY order_id, state
      ) AS found ON found.order_id = holds.order_id AND found.state = holds.state
      WHERE holds.state IN ('held', 'allocated', 'sold') AND holds.expires_at >= :since
        AND coalesce(found.count, 0) <> cardinality(holds.unit_ids)`,
  },
  {
    name: "a unit's history is a legal walk that ends in its state",
    promise: 'P1',
    kind: 'safety',
    contexts,
    // A step carries the moment at which its transaction began to decide, and transactions may wait for each other:
    // so time may go back by less than :patience. The table of legal steps stands here in place: a call of the function
    // of the database for each step took five times as long, and this is the second opinion on it.
    sql: `
      SELECT id AS "unitId", state FROM inventory.units
      WHERE state_at >= :since AND (
        cardinality(steps) = 0 OR steps[1].state <> 'available' OR steps[cardinality(steps)].state <> state
        OR steps[cardinality(steps)].at <> state_at OR steps[cardinality(steps)].order_id <> order_id
        OR EXISTS (
          SELECT FROM generate_series(2, cardinality(steps)) AS n
          WHERE (steps[n - 1].state, steps[n].state) NOT IN (${legalSteps()})
            OR steps[n].at < steps[n - 1].at - :patience
            OR (steps[n - 1].state IN ('held', 'allocated') AND steps[n].order_id <> steps[n - 1].order_id)
        ))`,
  },
  {
    name: 'a batch has as many units as it was made of',
    promise: 'P1',
    kind: 'safety',
    contexts,
    sql: `
      SELECT coalesce(batches.id, found.batch_id) AS "batchId", batches.quantity, found.count AS units
      FROM inventory.batches FULL JOIN (
        SELECT batch_id, count(*), max(state_at) AS state_at FROM inventory.units GROUP BY batch_id
      ) AS found ON found.batch_id = batches.id
      WHERE batches.quantity IS DISTINCT FROM found.count
        AND greatest(batches.shelved_at, found.state_at) >= :since`,
  },
];

/** P2: no unit is sold after it is stale. */
const fresh: readonly Check[] = [
  {
    name: 'a hold was given only on units that stay fresh until its end',
    promise: 'P2',
    kind: 'safety',
    contexts,
    sql: `
      SELECT holds.order_id AS "orderId", units.id AS "unitId", units.stale_at AS "staleAt",
        holds.expires_at AS "expiresAt"
      FROM (
        SELECT order_id, expires_at, unnest(unit_ids) AS unit_id FROM inventory.holds WHERE expires_at >= :since
      ) AS holds JOIN inventory.units ON units.id = holds.unit_id
      WHERE units.stale_at <= holds.expires_at`,
  },
  {
    name: 'no unit was set aside when it was stale, or would be before the payment',
    promise: 'P2',
    kind: 'safety',
    contexts,
    // Beside the check above, because a hold whose end is wrong would hide here what it hides there.
    sql: `
      SELECT id AS "unitId", stale_at AS "staleAt" FROM inventory.units
      WHERE stale_at IS NOT NULL AND state_at >= :since AND EXISTS (
        SELECT FROM generate_series(2, cardinality(steps)) AS n
        WHERE steps[n].state = 'held' AND steps[n].at >= stale_at - interval '${HOLD_TIME / SECOND} seconds')`,
  },
  {
    name: 'no stale unit is left on sale by the sweep',
    promise: 'P2',
    kind: 'liveness',
    contexts,
    // Goods may come to the shelf when they are stale already: the next sweep finds them.
    sql: `
      SELECT id AS "unitId", stale_at AS "staleAt" FROM inventory.units
      WHERE is_available AND stale_at < :now - interval '15 minutes' - :patience
        AND state_at < :now - interval '15 minutes' - :patience`,
  },
];

/** P3: oldest first. */
const oldestFirst: readonly Check[] = [
  {
    name: `a sale did not skip an older fresh unit that was free (the latest ${LATEST_HOLDS} holds)`,
    promise: 'P3',
    kind: 'safety',
    contexts,
    // Units that came or went within :patience of the hold are left aside: a step carries the moment at which its
    // transaction began to decide, and transactions commit in another order than they begin. Older units can only be
    // among those still free, which an index finds, and those that changed since the first of these holds.
    sql: `
      WITH latest AS MATERIALIZED (
        SELECT order_id, unit_ids, expires_at FROM inventory.holds WHERE expires_at >= :since
        ORDER BY expires_at DESC LIMIT ${LATEST_HOLDS}
      ), taken AS MATERIALIZED (
        SELECT units.site_id, units.product_id, max(units.made_at) AS made_at, step.at, latest.order_id,
          latest.expires_at
        FROM latest CROSS JOIN unnest(latest.unit_ids) AS unit_id JOIN inventory.units ON units.id = unit_id
        CROSS JOIN LATERAL unnest(units.steps) AS step
        WHERE step.state = 'held' AND step.order_id = latest.order_id
        GROUP BY units.site_id, units.product_id, step.at, latest.order_id, latest.expires_at
      ), changed AS MATERIALIZED (
        SELECT id, site_id, product_id, made_at, stale_at, state_at, steps FROM inventory.units
        WHERE NOT is_available AND state_at > (SELECT min(at) FROM taken)
      ), free AS (
        SELECT taken.*, units.id, units.stale_at, units.steps FROM taken JOIN inventory.units
          ON units.site_id = taken.site_id AND units.product_id = taken.product_id AND units.made_at < taken.made_at
        WHERE units.is_available
        UNION ALL
        SELECT taken.*, changed.id, changed.stale_at, changed.steps FROM taken JOIN changed
          ON changed.site_id = taken.site_id AND changed.product_id = taken.product_id
            AND changed.made_at < taken.made_at AND changed.state_at > taken.at
      )
      SELECT order_id AS "orderId", id AS "olderUnitId", made_at AS "soldMadeAt" FROM free
      WHERE (stale_at IS NULL OR stale_at > expires_at + :patience) AND EXISTS (
        SELECT FROM generate_subscripts(steps, 1) AS n
        WHERE steps[n].state = 'available' AND steps[n].at < at - :patience
          AND (n = cardinality(steps) OR steps[n + 1].at > at + :patience)
      )`,
  },
];

/** P4: a held unit always ends sold, released or discarded. */
const holdsEnd: readonly Check[] = [
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
  {
    name: 'units are set aside only for an order that was placed',
    promise: 'P4',
    kind: 'safety',
    contexts: ['inventory', 'orders'],
    sql: `
      SELECT holds.order_id AS "orderId", holds.state FROM inventory.holds
      LEFT JOIN orders.orders ON orders.id = holds.order_id
      WHERE holds.expires_at >= :since AND orders.id IS NULL`,
  },
];

export const unitChecks: readonly Check[] = [...soldOnce, ...fresh, ...oldestFirst, ...holdsEnd];
