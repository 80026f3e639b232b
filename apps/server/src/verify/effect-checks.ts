import type { Check } from './checks.ts';
import { isLevel } from './consumed.ts';

// P7 by its effects: what a context keeps because of another's events agrees with what that other has. The two can be
// compared while the listener is level with the log; the snapshot sees both sides of it.

export const effectChecks: readonly Check[] = [
  {
    name: 'the menu has on its shelves what inventory has on its own',
    promise: 'P7',
    kind: 'liveness',
    contexts: ['catalog', 'inventory'],
    sql: `
      SELECT coalesce(menu.batch_id, shelf.batch_id) AS "batchId", menu.available AS menu, shelf.count AS shelf
      FROM (SELECT * FROM catalog.menu_stock WHERE available <> 0) AS menu
      FULL JOIN (
        SELECT site_id, product_id, batch_id, stale_at, count(*) FROM inventory.units WHERE is_available
        GROUP BY site_id, product_id, batch_id, stale_at
      ) AS shelf
        ON (shelf.site_id, shelf.product_id, shelf.batch_id) = (menu.site_id, menu.product_id, menu.batch_id)
      WHERE (menu.available IS DISTINCT FROM shelf.count OR menu.stale_at IS DISTINCT FROM shelf.stale_at)
        AND ${isLevel('catalog', 'inventory')}`,
  },
  {
    name: 'every batch that was baked came to the shelf, once, whole',
    promise: 'P7',
    kind: 'liveness',
    contexts: ['production', 'inventory'],
    sql: `
      SELECT baked.id AS "batchId", baked.quantity, shelved.quantity AS shelved
      FROM production.batches AS baked
      FULL JOIN (SELECT * FROM inventory.batches WHERE source = 'batch') AS shelved ON shelved.id = baked.id
      WHERE (baked.quantity IS DISTINCT FROM shelved.quantity OR baked.site_id <> shelved.site_id
          OR baked.product_id <> shelved.product_id OR baked.made_at <> shelved.made_at)
        AND coalesce(baked.made_at, shelved.made_at) >= :since AND ${isLevel('inventory', 'production')}`,
  },
  {
    name: 'every unit that was thrown out stands in the waste book, once',
    promise: 'P7',
    kind: 'safety',
    contexts: ['inventory'],
    sql: `
      SELECT coalesce(thrown.batch_id, booked.batch_id) AS "batchId", thrown.count AS units, booked.quantity
      FROM (
        SELECT site_id, batch_id, count(*), sum(unit_cost) AS cost FROM inventory.units WHERE state = 'discarded'
        GROUP BY site_id, batch_id
      ) AS thrown FULL JOIN (
        SELECT site_id, batch_id, sum(quantity) AS quantity, sum(cost) AS cost FROM inventory.waste
        GROUP BY site_id, batch_id
      ) AS booked ON booked.site_id = thrown.site_id AND booked.batch_id = thrown.batch_id
      WHERE thrown.count IS DISTINCT FROM booked.quantity OR thrown.cost IS DISTINCT FROM booked.cost`,
  },
  {
    name: 'everybody who registered has an account',
    promise: 'P7',
    kind: 'liveness',
    contexts: ['identity', 'bank'],
    sql: `
      SELECT users.id AS "userId" FROM identity.users
      LEFT JOIN bank.accounts ON accounts.id = users.id AND accounts.kind = 'customer'
      WHERE accounts.id IS NULL AND ${isLevel('bank', 'identity')}`,
  },
  ...(['production', 'inventory', 'orders'] as const).map(knowsSites),
  ...(['production', 'inventory'] as const).map(knowsKeeping),
  knowsPrices(),
];

function knowsSites(context: 'production' | 'inventory' | 'orders'): Check {
  return {
    name: `${context} knows the sites as the catalog has them`,
    promise: 'P7',
    kind: 'liveness',
    contexts: ['catalog', context],
    sql: `
      SELECT coalesce(sites.id, own.id) AS "siteId" FROM catalog.sites
      FULL JOIN ${context}.sites AS own ON own.id = sites.id
      WHERE (sites.time_zone, sites.opens_at, sites.closes_at)
          IS DISTINCT FROM (own.time_zone, own.opens_at, own.closes_at)
        AND ${isLevel(context, 'catalog')}`,
  };
}

function knowsKeeping(context: 'production' | 'inventory'): Check {
  return {
    name: `${context} knows how products keep as the catalog has it`,
    promise: 'P7',
    kind: 'liveness',
    contexts: ['catalog', context],
    sql: `
      SELECT products.id AS "productId" FROM catalog.products
      LEFT JOIN ${context}.products AS own ON own.id = products.id
      WHERE (own.id IS NULL OR own.withdrawn <> (products.withdrawn_at IS NOT NULL)
          OR (products.withdrawn_at IS NULL AND (
            own.stock <> products.stock OR own.keeps_overnight <> products.keeps_overnight
            OR own.shelf_life_minutes IS DISTINCT FROM extract(epoch FROM products.shelf_life::interval) / 60
            OR own.unit_cost <> coalesce(products.unit_cost, 0))))
        AND ${isLevel(context, 'catalog')}`,
  };
}

function knowsPrices(): Check {
  return {
    name: 'orders knows the price list as the catalog has it',
    promise: 'P7',
    kind: 'liveness',
    contexts: ['catalog', 'orders'],
    sql: `
      SELECT products.id AS "productId" FROM catalog.products LEFT JOIN orders.products AS own ON own.id = products.id
      WHERE (own.id IS NULL OR own.is_withdrawn <> (products.withdrawn_at IS NOT NULL)
          OR (products.withdrawn_at IS NULL
            AND (own.name, own.price_amount, own.currency, own.stock, own.closing_discount_percent)
              IS DISTINCT FROM (products.name, products.price, products.currency, products.stock,
                products.closing_discount_percent)))
        AND ${isLevel('orders', 'catalog')}`,
  };
}
