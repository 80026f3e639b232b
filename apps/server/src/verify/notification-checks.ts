import type { Check } from './checks.ts';
import { isLevel } from './consumed.ts';

/** What is sent: on record, not twice, and not forgotten. */
const sent: readonly Check[] = [
  {
    name: 'no message went to one address twice, unless it was replayed',
    promise: 'P7',
    kind: 'safety',
    contexts: ['notifications'],
    sql: `
      SELECT messages.id AS "messageId", messages.channel, messages.replays, taken.count AS taken
      FROM (SELECT message_id, count(*) FROM notifications.attempts WHERE ok GROUP BY message_id) AS taken
      JOIN notifications.messages ON messages.id = taken.message_id
      WHERE taken.count > 1 + messages.replays AND messages.event_at >= :since`,
  },
  {
    name: 'a message that is delivered has been taken by the other side',
    promise: 'P7',
    kind: 'safety',
    contexts: ['notifications'],
    sql: `
      SELECT messages.id AS "messageId", messages.channel FROM notifications.messages
      LEFT JOIN (SELECT DISTINCT message_id FROM notifications.attempts WHERE ok) AS taken
        ON taken.message_id = messages.id
      WHERE status = 'delivered' AND event_at >= :since AND taken.message_id IS NULL`,
  },
  {
    name: 'a message that is due is tried, unless its way is closed',
    promise: 'P7',
    kind: 'liveness',
    contexts: ['notifications'],
    // Sending goes by the wall, so it is compared with what was sent since: a system at rest sends nothing.
    sql: `
      SELECT messages.id AS "messageId", messages.lane, messages.next_at AS "dueAt" FROM notifications.messages
      WHERE status = 'waiting'
        AND next_at < (SELECT max(at) FROM notifications.attempts WHERE ok) - interval '1 minute'
        AND NOT EXISTS (
          SELECT FROM notifications.messages AS failing
          WHERE failing.lane = messages.lane AND failing.status = 'waiting' AND failing.tries > 0)`,
  },
  {
    name: 'what is said live has no gap',
    promise: 'P7',
    kind: 'safety',
    contexts: ['notifications'],
    sql: `
      SELECT head.number AS head, sets.first, sets.last, sets.count FROM notifications.live_head AS head
      CROSS JOIN (SELECT min(number) AS first, max(number) AS last, count(*) FROM notifications.live_sets) AS sets
      WHERE head.number <> coalesce(sets.last, 0) OR sets.count <> sets.last - sets.first + 1`,
  },
];

/** By preferences that nobody has changed since; what is usual stands in contexts/notifications. */
const told: readonly Check[] = [
  {
    name: 'whoever wants mail of what happens to an order has it on its way',
    promise: 'P7',
    kind: 'liveness',
    contexts: ['orders', 'notifications'],
    sql: `
      SELECT event.id AS "eventId", event.type, event.data->>'customerId' AS "customerId"
      FROM orders.outbox AS event
      JOIN (VALUES ('orders.order-placed.v1', 'order-placed', false), ('orders.order-paid.v1', 'order-paid', false),
          ('orders.order-rejected.v1', 'order-refused', true),
          ('orders.order-status-changed.v1', 'order-status-changed', true),
          ('orders.order-delivered.v1', 'order-status-changed', true),
          ('orders.order-cancelled.v1', 'order-cancelled', true)) AS kind (type, name, is_usual)
        ON kind.type = event.type
      JOIN notifications.people ON people.id = (event.data->>'customerId')::uuid
      LEFT JOIN notifications.preferences AS chosen ON chosen.user_id = people.id
      LEFT JOIN notifications.messages
        ON messages.event_id = event.id AND messages.channel = 'email' AND messages.user_id = people.id
      WHERE event.time >= :since AND messages.id IS NULL
        AND CASE WHEN chosen.user_id IS NULL THEN kind.is_usual
              ELSE chosen.changed_at < event.time AND kind.name = ANY (chosen.email) END
        AND ${isLevel('notifications', 'orders')}`,
  },
];

const copies: readonly Check[] = [
  {
    name: 'notifications knows people as identity has them',
    promise: 'P7',
    kind: 'liveness',
    contexts: ['identity', 'notifications'],
    sql: `
      SELECT users.id AS "userId" FROM identity.users LEFT JOIN notifications.people ON people.id = users.id
      WHERE (people.email, people.name, people.roles) IS DISTINCT FROM (users.email, users.name, users.roles)
        AND ${isLevel('notifications', 'identity')}`,
  },
  {
    name: 'notifications knows the sites as the catalog has them',
    promise: 'P7',
    kind: 'liveness',
    contexts: ['catalog', 'notifications'],
    sql: `
      SELECT sites.id AS "siteId" FROM catalog.sites LEFT JOIN notifications.sites AS own ON own.id = sites.id
      WHERE (own.name, own.time_zone, own.currency) IS DISTINCT FROM (sites.name, sites.time_zone, sites.currency)
        AND ${isLevel('notifications', 'catalog')}`,
  },
  {
    name: 'notifications counts what is free as inventory does',
    promise: 'P7',
    kind: 'liveness',
    contexts: ['inventory', 'notifications'],
    sql: `
      SELECT coalesce(own.product_id, shelf.product_id) AS "productId", own.available, shelf.count AS shelf
      FROM (SELECT * FROM notifications.stock WHERE available <> 0) AS own
      FULL JOIN (
        SELECT site_id, product_id, count(*) FROM inventory.units WHERE is_available GROUP BY site_id, product_id
      ) AS shelf ON (shelf.site_id, shelf.product_id) = (own.site_id, own.product_id)
      WHERE own.available IS DISTINCT FROM shelf.count AND ${isLevel('notifications', 'inventory')}`,
  },
];

export const notificationChecks: readonly Check[] = [...sent, ...told, ...copies];
