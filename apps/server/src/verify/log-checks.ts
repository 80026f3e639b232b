import type { ContextName } from '@provender/contracts';
import type { Check } from './checks.ts';
import { unreadInTime } from './consumed.ts';

/** Events that may be said once only of one subject: a second one would be an effect that happened twice. */
const ONCE_ONLY: Partial<Record<ContextName, readonly string[]>> = {
  identity: ['user-registered'],
  orders: [
    'order-placed',
    'payment-requested',
    'order-paid',
    'order-delivered',
    'order-cancelled',
    'order-rejected',
    'refund-requested',
  ],
  inventory: ['units-made', 'units-held', 'hold-refused', 'units-allocated', 'units-sold', 'units-released'],
  bank: ['payment-captured', 'payment-declined', 'payment-refunded', 'account-opened'],
  production: ['batch-baked'],
  fleet: ['machine-registered'],
};

/** Whose log each context listens to. A test compares this with what the contexts say of themselves. */
export const LISTENS: Partial<Record<ContextName, readonly ContextName[]>> = {
  identity: ['identity', 'orders', 'bank', 'fleet', 'notifications'],
  catalog: ['identity', 'inventory'],
  production: ['identity', 'catalog'],
  inventory: ['identity', 'catalog', 'production', 'orders'],
  orders: ['identity', 'catalog', 'inventory', 'bank'],
  bank: ['identity', 'orders'],
  fleet: ['identity', 'catalog'],
  notifications: ['identity', 'catalog', 'inventory', 'orders', 'bank'],
};

/** The checks of P7 and P8 that every context gets, for those that stand in this database. */
export function logChecks(present: readonly ContextName[]): Check[] {
  return present.flatMap((context) => [
    gapless(context),
    ...(LISTENS[context] ?? []).filter((source) => present.includes(source)).map((source) => handled(context, source)),
    noneParked(context),
    onTime(context),
    ...nothingTwice(context),
    answeredOnce(context),
  ]);
}

function gapless(context: ContextName): Check {
  return {
    name: `the log of ${context} has no gap and ends at its head`,
    promise: 'P7',
    kind: 'safety',
    contexts: [context],
    // Old parts may be dropped, a whole one at a time: a log begins with its first event or with that of a part.
    sql: `
      SELECT head.position AS head, log.first, log.last, log.count FROM ${context}.outbox_head AS head
      CROSS JOIN (SELECT min(position) AS first, max(position) AS last, count(*) FROM ${context}.outbox) AS log
      WHERE (head.position <> coalesce(log.last, 0) AND (log.last IS NOT NULL OR head.position % 1000000 <> 999999))
        OR log.count <> log.last - log.first + 1
        OR (log.first <> 1 AND log.first % 1000000 <> 0)`,
  };
}

function handled(context: ContextName, source: ContextName): Check {
  return {
    name: `${context} handles what ${source} says, in time`,
    promise: 'P7',
    kind: 'liveness',
    contexts: [context, source],
    sql: unreadInTime(context, source),
  };
}

function noneParked(context: ContextName): Check {
  return {
    name: `no event is parked in ${context}`,
    promise: 'P7',
    kind: 'liveness',
    contexts: [context],
    sql: `SELECT id, source, position, subject, error FROM ${context}.parked_events`,
  };
}

function onTime(context: ContextName): Check {
  return {
    name: `${context} does what has fallen due, in time`,
    promise: 'P7',
    kind: 'liveness',
    contexts: [context],
    sql: `
      SELECT name, key, due_at AS "dueAt", attempts FROM ${context}.timers WHERE due_at < :now - :patience`,
  };
}

function nothingTwice(context: ContextName): Check[] {
  const types = (ONCE_ONLY[context] ?? []).map((name) => `'${context}.${name}.v1'`).join(', ');
  if (types === '') return [];
  return [
    {
      name: `nothing was said twice by ${context} that may be said once`,
      promise: 'P7',
      kind: 'safety',
      contexts: [context],
      // Groups of eight bytes stay in memory where those of two texts did not; what they find is looked at again.
      sql: `
        WITH twice AS MATERIALIZED (
          SELECT hashtextextended(type || subject, 0) AS hash FROM ${context}.outbox
          WHERE type IN (${types}) AND time >= :since GROUP BY hash HAVING count(*) > 1
        )
        SELECT type, subject, count(*) FROM ${context}.outbox
        WHERE type IN (${types}) AND time >= :since AND hashtextextended(type || subject, 0) IN (SELECT hash FROM twice)
        GROUP BY type, subject HAVING count(*) > 1`,
    },
  ];
}

function answeredOnce(context: ContextName): Check {
  return {
    name: `${context} keeps one first answer for each key`,
    promise: 'P8',
    kind: 'safety',
    contexts: [context],
    sql: `
      SELECT scope, key, count(*) FROM ${context}.idempotency_keys GROUP BY scope, key HAVING count(*) > 1`,
  };
}
