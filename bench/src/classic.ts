import pg from 'pg';

/**
 * The classic design, written out: one counter row per product, locked with FOR UPDATE and decremented, one transaction
 * per purchase, a round trip per statement. It keeps what a purchase keeps here: units by number, an order with its
 * line, two ledger entries, the balance, two events.
 */
const SCHEMA = `
  DROP SCHEMA IF EXISTS classic CASCADE; CREATE SCHEMA classic;
  CREATE TABLE classic.stock (product integer PRIMARY KEY, quantity bigint NOT NULL CHECK (quantity >= 0));
  CREATE TABLE classic.accounts (id integer PRIMARY KEY, balance bigint NOT NULL CHECK (balance >= 0));
  CREATE TABLE classic.orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account integer NOT NULL,
    status text NOT NULL, total bigint NOT NULL, placed_at timestamptz NOT NULL DEFAULT now());
  CREATE TABLE classic.lines (order_id bigint NOT NULL, product integer NOT NULL, quantity integer NOT NULL,
    price bigint NOT NULL, PRIMARY KEY (order_id, product));
  CREATE TABLE classic.entries (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, order_id bigint NOT NULL,
    account integer NOT NULL, amount bigint NOT NULL);
  CREATE TABLE classic.events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, type text NOT NULL,
    subject bigint NOT NULL, data jsonb NOT NULL);
`;
const ACCOUNTS = 1_000;
const PRICE = 240;

export type ClassicResult = { readonly perSecond: number; readonly p50: number; readonly p99: number };

export async function prepareClassic(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(SCHEMA);
  await client.query('INSERT INTO classic.stock SELECT n, 1000000000 FROM generate_series(0, 99) AS n');
  await client.query(`INSERT INTO classic.accounts SELECT n, 1000000000 FROM generate_series(0, ${ACCOUNTS - 1}) AS n`);
  await client.end();
}

async function purchase(client: pg.Client, product: number, account: number): Promise<void> {
  const run = (name: string, text: string, values: unknown[] = []) => client.query({ name, text, values });
  await run('begin', 'BEGIN');
  await run('lock', 'SELECT quantity FROM classic.stock WHERE product = $1 FOR UPDATE', [product]);
  await run('take', 'UPDATE classic.stock SET quantity = quantity - 2 WHERE product = $1', [product]);
  await run('pay', 'UPDATE classic.accounts SET balance = balance - $2 WHERE id = $1', [account, 2 * PRICE]);
  const order = await run(
    'order',
    "INSERT INTO classic.orders (account, status, total) VALUES ($1, 'waiting', $2) RETURNING id",
    [account, 2 * PRICE],
  );
  const { id } = order.rows[0] as { id: string };
  await run('line', 'INSERT INTO classic.lines VALUES ($1, $2, 2, $3)', [id, product, PRICE]);
  await run(
    'entries',
    'INSERT INTO classic.entries (order_id, account, amount) VALUES ($1, $2, $3), ($1, -1, -$3::bigint)',
    [id, account, -2 * PRICE],
  );
  await run('events', "INSERT INTO classic.events (type, subject, data) VALUES ('placed', $1, $2), ('paid', $1, $2)", [
    id,
    JSON.stringify({ order: id, product, account, total: 2 * PRICE }),
  ]);
  await run('commit', 'COMMIT');
}

/** Runs the classic design with so many connections, from this process, on one product or on 100. */
export async function runClassic(
  url: string,
  options: { readonly clients: number; readonly products: number; readonly seconds: number },
): Promise<ClassicResult> {
  const clients = await Promise.all(
    Array.from({ length: options.clients }, async () => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      return client;
    }),
  );
  const latencies: number[] = [];
  const began = performance.now();
  const end = began + options.seconds * 1_000;
  await Promise.all(
    clients.map(async (client) => {
      for (let before = performance.now(); before < end; before = performance.now()) {
        const product = Math.floor(Math.random() * options.products);
        await purchase(client, product, Math.floor(Math.random() * ACCOUNTS));
        latencies.push(performance.now() - before);
      }
    }),
  );
  const seconds = (performance.now() - began) / 1_000;
  await Promise.all(clients.map((client) => client.end()));
  latencies.sort((left, right) => left - right);
  const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? 0;
  return { perSecond: latencies.length / seconds, p50: at(0.5), p99: at(0.99) };
}
