import { CONTEXT_NAMES } from '@provender/contracts';
import { LISTENS } from '@provender/server';
import { fleetPlants } from './fleet-plants.ts';
import { moneyPlants } from './money-plants.ts';
import { notificationPlants } from './notification-plants.ts';
import { orderPlants } from './order-plants.ts';
import { unitPlants } from './unit-plants.ts';
import { warehousePlants } from './warehouse-plants.ts';

/** A violation to plant in the busy shop, with triggers off. `breaksToo`: what such a row cannot but break as well. */
export type Plant = {
  readonly what: string;
  readonly breaks: string;
  readonly breaksToo?: readonly string[];
  /** Run in order; `:now` is business time. */
  readonly sql: readonly string[];
};

const sites = ['production', 'inventory', 'orders'] as const;
const keeping = ['production', 'inventory'] as const;

const effectPlants: readonly Plant[] = [
  {
    what: 'a menu that has a unit more than the shelf',
    breaks: 'the menu has on its shelves what inventory has on its own',
    sql: ['UPDATE catalog.menu_stock SET available = available + 1 WHERE available > 0'],
  },
  {
    what: 'a shelf that the menu has never heard of',
    breaks: 'the menu has on its shelves what inventory has on its own',
    sql: ['DELETE FROM catalog.menu_stock WHERE available > 0'],
  },
  {
    what: 'a batch of which a part came to the shelf',
    breaks: 'every batch that was baked came to the shelf, once, whole',
    sql: ['UPDATE production.batches SET quantity = quantity + 1'],
  },
  {
    what: 'a batch that never came to the shelf',
    breaks: 'every batch that was baked came to the shelf, once, whole',
    sql: [
      `INSERT INTO production.batches (id, site_id, product_id, quantity, made_at)
       SELECT gen_random_uuid(), site_id, product_id, quantity, made_at FROM production.batches LIMIT 1`,
    ],
  },
  {
    what: 'waste that was booked twice',
    breaks: 'every unit that was thrown out stands in the waste book, once',
    sql: [
      `INSERT INTO inventory.waste (site_id, product_id, batch_id, reason, at, quantity, cost, currency)
       SELECT site_id, product_id, batch_id, reason, at, quantity, cost, currency FROM inventory.waste LIMIT 1`,
    ],
  },
  {
    what: 'somebody without an account',
    breaks: 'everybody who registered has an account',
    breaksToo: ['notifications knows people as identity has them'],
    sql: [
      `INSERT INTO identity.users (id, email, email_key, name, roles, registered_at)
       VALUES (gen_random_uuid(), 'a@b.example', 'a@b.example', 'A', '{customer}', :now)`,
    ],
  },
  ...sites.map((context) => ({
    what: `${context} with other hours for a site`,
    breaks: `${context} knows the sites as the catalog has them`,
    sql: [`UPDATE ${context}.sites SET opens_at = '05:55'`],
  })),
  ...keeping.map((context) => ({
    what: `${context} with another shelf life for a product`,
    breaks: `${context} knows how products keep as the catalog has it`,
    sql: [`UPDATE ${context}.products SET shelf_life_minutes = 7 WHERE shelf_life_minutes IS NOT NULL`],
  })),
  {
    what: 'an old price',
    breaks: 'orders knows the price list as the catalog has it',
    sql: ['UPDATE orders.products SET price_amount = price_amount + 1'],
  },
];

/** Of each context that says something that may be said once. */
const ONCE = {
  identity: 'user-registered',
  production: 'batch-baked',
  inventory: 'units-made',
  orders: 'order-placed',
  bank: 'account-opened',
  fleet: 'machine-registered',
} as const;

const logPlants: readonly Plant[] = [
  ...CONTEXT_NAMES.flatMap((context): Plant[] => [
    {
      what: `a hole in the log of ${context}`,
      breaks: `the log of ${context} has no gap and ends at its head`,
      sql: [`DELETE FROM ${context}.outbox WHERE position = 2`],
    },
    {
      what: `a log of ${context} that has lost its first event`,
      breaks: `the log of ${context} has no gap and ends at its head`,
      sql: [`DELETE FROM ${context}.outbox WHERE position = 1`],
    },
    {
      what: `a log of ${context} that has lost its last event`,
      breaks: `the log of ${context} has no gap and ends at its head`,
      sql: [`DELETE FROM ${context}.outbox WHERE position = (SELECT position FROM ${context}.outbox_head)`],
    },
    {
      what: `a parked event in ${context}`,
      breaks: `no event is parked in ${context}`,
      sql: [
        `INSERT INTO ${context}.parked_events (id, source, partition, position, subject, event)
         VALUES (gen_random_uuid(), 'nobody', 0, 1, 'x', '{}')`,
      ],
    },
    {
      what: `work of ${context} that nobody does`,
      breaks: `${context} does what has fallen due, in time`,
      sql: [`INSERT INTO ${context}.timers (name, key, due_at) VALUES ('x', 'x', :now - interval '2 minutes')`],
    },
    {
      what: `a key with two answers in ${context}`,
      breaks: `${context} keeps one first answer for each key`,
      sql: [
        `ALTER TABLE ${context}.idempotency_keys DROP CONSTRAINT idempotency_keys_pkey`,
        `INSERT INTO ${context}.idempotency_keys (scope, key, request_hash, status, body, headers)
         SELECT 'x', 'x', decode(repeat('00', 32), 'hex'), 201, n::text, '{}' FROM generate_series(1, 2) AS n`,
      ],
    },
  ]),
  ...Object.entries(LISTENS).flatMap(([context, sources]) =>
    sources.map((source) => ({
      what: `a cursor of ${context} that stands still`,
      breaks: `${context} handles what ${source} says, in time`,
      sql: [`UPDATE ${context}.cursors SET position = 0 WHERE source = '${source}'`],
    })),
  ),
  ...Object.entries(ONCE).map(([context, name]) => ({
    what: `${context} that says something twice`,
    breaks: `nothing was said twice by ${context} that may be said once`,
    sql: [
      `INSERT INTO ${context}.outbox SELECT head.position + 1, gen_random_uuid(), type, key, subject, :now, NULL, data
       FROM ${context}.outbox, ${context}.outbox_head AS head WHERE type = '${context}.${name}.v1' LIMIT 1`,
      `UPDATE ${context}.outbox_head SET position = position + 1`,
    ],
  })),
];

export const plants: readonly Plant[] = [
  ...unitPlants,
  ...moneyPlants,
  ...orderPlants,
  ...warehousePlants,
  ...effectPlants,
  ...fleetPlants,
  ...notificationPlants,
  ...logPlants,
];
