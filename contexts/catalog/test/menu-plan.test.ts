import { instant } from '@provender/kernel';
import type { Query, Statement } from '@provender/platform';
import { openTestContext } from '@provender/platform/testing';
import { expect, test } from 'vitest';
import { catalog } from '../src/index.ts';
import { readShelvedMenu } from '../src/store.ts';

const SITE = '01900000-0000-7000-8000-000000000001';
const PRODUCTS = 40;

/**
 * A chain of 2,000 sites with 20,000 products and 100,000 buckets on its shelves; one site, 40 products are asked for.
 */
const MUCH = [
  `INSERT INTO catalog.sites (id, name, kind, time_zone, opens_at, closes_at, currency, free_vend)
   SELECT gen_random_uuid(), 'Site', 'shop', 'Europe/Berlin', '07:00', '18:00', 'USD', false
   FROM generate_series(1, 2000)`,
  `INSERT INTO catalog.sites (id, name, kind, time_zone, opens_at, closes_at, currency, free_vend)
   VALUES ('${SITE}', 'Ours', 'shop', 'Europe/Berlin', '07:00', '18:00', 'EUR', false)`,
  `INSERT INTO catalog.products (id, sku, name, category, price, currency, stock, keeps_overnight,
     closing_discount_percent)
   SELECT gen_random_uuid(), n::text, 'Product', 'Food', 100, CASE WHEN n <= ${PRODUCTS} THEN 'EUR' ELSE 'USD' END,
     'unit', false, 0
   FROM generate_series(1, 20000) AS n`,
  `INSERT INTO catalog.variations (id, product_id, name, price_delta)
   SELECT gen_random_uuid(), id, 'Large', 10 FROM catalog.products`,
  `INSERT INTO catalog.menu_stock (site_id, product_id, batch_id, available)
   SELECT sites.id, gen_random_uuid(), gen_random_uuid(), 5 FROM catalog.sites CROSS JOIN generate_series(1, 50)`,
  `INSERT INTO catalog.menu_stock (site_id, product_id, batch_id, available)
   SELECT '${SITE}', id, gen_random_uuid(), 5 FROM catalog.products WHERE currency = 'EUR'`,
  'ANALYZE catalog.sites, catalog.products, catalog.variations, catalog.menu_stock',
];

test('given a large chain, when the menu of one site is read, then it is one query that goes by indexes alone', async () => {
  const context = await openTestContext(catalog);
  for (const text of MUCH) await context.sql(text);
  const asked: { statement: Statement; values: readonly unknown[] }[] = [];
  const listening: Query = {
    query(statement, values = []) {
      asked.push({ statement, values });
      return context.running.db.query(statement, values);
    },
  };
  const menu = await readShelvedMenu(listening, SITE, instant(0));
  expect(menu?.offers).toHaveLength(PRODUCTS);
  expect(menu?.offers.every(({ fresh, variations }) => fresh === 5 && variations.length === 1)).toBe(true);
  expect(asked).toHaveLength(1);
  await context.sql('SET search_path = catalog');
  const plan = await context.sql<{ 'QUERY PLAN': string }>(`EXPLAIN ${asked[0]?.statement.text}`, asked[0]?.values);
  const text = plan.map((row) => row['QUERY PLAN']).join('\n');
  expect(text).not.toContain('Seq Scan');
  for (const index of ['sites_pkey', 'products_living_currency', 'variations_of_product', 'menu_stock_pkey']) {
    expect(text).toContain(index);
  }
  await context.close();
});
