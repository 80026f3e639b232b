import { AUDITOR_ROLE } from '@provender/platform';
import pg from 'pg';

// What the system's own books say of a replay. Read as the auditor, who may read everything and write nothing; each
// statement reads the books of one context, and none of them knows what the replay has counted itself.

const SOLD = `
  SELECT line ->> 'productId' AS "productId", (orders.placed_at AT TIME ZONE $1)::date::text AS date,
    line ->> 'stock' AS stock, sum((line ->> 'quantity')::integer)::integer AS pieces,
    sum((line -> 'total' ->> 'amount')::bigint)::float8 AS amount
  FROM orders.orders CROSS JOIN LATERAL jsonb_array_elements(orders.lines::jsonb) AS line
  WHERE orders.status = 'delivered' GROUP BY 1, 2, 3 ORDER BY 2, 1, 3`;
const ORDERS = `
  SELECT status, reason, count(*)::integer AS orders, sum(total_amount)::float8 AS amount
  FROM orders.orders GROUP BY status, reason ORDER BY status, reason`;
const MADE = `
  SELECT product_id AS "productId", (shelved_at AT TIME ZONE $1)::date::text AS date, source,
    sum(quantity)::integer AS pieces
  FROM inventory.batches GROUP BY 1, 2, 3 ORDER BY 2, 1, 3`;
// What is thrown out as a day ends at midnight belongs to the day that ends.
const WASTE = `
  SELECT product_id AS "productId",
    ((at - interval '1 millisecond') AT TIME ZONE $1)::date::text AS date, reason, sum(quantity)::integer AS pieces,
    sum(cost)::float8 AS cost
  FROM inventory.waste GROUP BY 1, 2, 3 ORDER BY 2, 1, 3`;
const UNITS = `
  SELECT product_id AS "productId", state::text AS state, count(*)::integer AS pieces
  FROM inventory.units GROUP BY 1, 2 ORDER BY 1, 2`;
const LEDGER = `
  SELECT kind, (at AT TIME ZONE $1)::date::text AS date, count(*)::integer AS transactions,
    sum(amount)::float8 AS amount
  FROM bank.transactions GROUP BY 1, 2 ORDER BY 2, 1`;

export type SoldRow = { productId: string; date: string; stock: string; pieces: number; amount: number };
export type OrdersRow = { status: string; reason: string | null; orders: number; amount: number };
export type MadeRow = { productId: string; date: string; source: string; pieces: number };
export type WasteRow = { productId: string; date: string; reason: string; pieces: number; cost: number };
export type UnitsRow = { productId: string; state: string; pieces: number };
export type LedgerRow = { kind: string; date: string; transactions: number; amount: number };

export type Books = {
  readonly sold: readonly SoldRow[];
  readonly orders: readonly OrdersRow[];
  readonly made: readonly MadeRow[];
  readonly waste: readonly WasteRow[];
  readonly units: readonly UnitsRow[];
  readonly ledger: readonly LedgerRow[];
};

/** Reads all books in one snapshot, by days of that zone. */
export async function readBooks(databaseUrl: string, timeZone: string): Promise<Books> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    application_name: 'replay books',
    options: `-c role=${AUDITOR_ROLE} -c jit=off -c timezone=UTC`,
  });
  await client.connect();
  async function rows<Row extends object>(text: string, values: readonly string[] = []): Promise<Row[]> {
    return (await client.query<Row>(text, [...values])).rows;
  }
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    return {
      sold: await rows<SoldRow>(SOLD, [timeZone]),
      orders: await rows<OrdersRow>(ORDERS),
      made: await rows<MadeRow>(MADE, [timeZone]),
      waste: await rows<WasteRow>(WASTE, [timeZone]),
      units: await rows<UnitsRow>(UNITS),
      ledger: await rows<LedgerRow>(LEDGER, [timeZone]),
    };
  } finally {
    await client.end();
  }
}
