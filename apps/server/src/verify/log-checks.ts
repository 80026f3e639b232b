import type { ContextName } from '@provender/contracts';
import type { Check } from './checks.ts';

/** Events that may be said once only of one subject: a second one would be an effect that happened twice. */
const ONCE_ONLY: Partial<Record<ContextName, readonly string[]>> = {
  orders: ['order-placed', 'payment-requested', 'order-paid', 'order-cancelled', 'order-rejected', 'refund-requested'],
  inventory: ['units-made', 'units-held', 'hold-refused', 'units-allocated', 'units-sold'],
  bank: ['payment-captured', 'payment-declined', 'payment-refunded', 'account-opened'],
  production: ['batch-baked'],
};

/** The checks of P7, for the contexts whose logs stand in this database. */
export function logChecks(present: readonly ContextName[]): Check[] {
  return present.flatMap((context) => [
    gapless(context),
    handled(context, present),
    noneParked(context),
    ...nothingTwice(context),
  ]);
}

function gapless(context: ContextName): Check {
  return {
    name: `the log of ${context} has no gap and ends at its head`,
    promise: 'P7',
    kind: 'safety',
    contexts: [context],
    sql: `
      SELECT head.position AS head, log.last, log.count FROM ${context}.outbox_head AS head
      CROSS JOIN (
        SELECT coalesce(max(position), 0) AS last, coalesce(min(position), 1) AS first, count(*) FROM ${context}.outbox
      ) AS log
      WHERE (head.position <> log.last AND log.count > 0) OR log.count <> log.last - log.first + 1`,
  };
}

function handled(context: ContextName, present: readonly ContextName[]): Check {
  const unread = present.map(
    (source) => `
        (SELECT time FROM ${source}.outbox WHERE cursors.source = '${source}' AND position > cursors.position
         ORDER BY position LIMIT 1)`,
  );
  return {
    name: `${context} handles every event that it wants, in time`,
    promise: 'P7',
    kind: 'liveness',
    contexts: [context],
    sql: `
      SELECT cursors.source, cursors.position, unread.time FROM ${context}.cursors
      CROSS JOIN LATERAL (${unread.join(' UNION ALL ')}
      ) AS unread
      WHERE unread.time < :now - :patience`,
  };
}

function noneParked(context: ContextName): Check {
  return {
    name: `no event is parked in ${context}`,
    promise: 'P7',
    kind: 'liveness',
    contexts: [context],
    sql: `SELECT id, source, subject, error FROM ${context}.parked_events`,
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
      sql: `
        SELECT type, subject, count(*) FROM ${context}.outbox WHERE type IN (${types}) AND time >= :since
        GROUP BY type, subject HAVING count(*) > 1`,
    },
  ];
}
