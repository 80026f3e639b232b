import type { Plant } from './plants.ts';

const CHARGED = 'an order that is being served is charged once, its total, as it was to be paid, and not refunded';
const ONCE = 'an order is charged once at most, and a refund gives that back, once';
const LINES = 'the total of an order is the sum of its lines, and each line its quantity times its price';
const PROFILE = 'the profile of everybody has the money that is on their account';
const WALK = "an order's history is a legal walk from placed to its status";

/** An order in a status of which everything is made to order, so that no unit is concerned. */
function coffee(status: string): string {
  return `(SELECT id FROM orders.orders WHERE status = '${status}' AND lines::text LIKE '%made-to-order%' LIMIT 1)`;
}

/** Brings an order to another status, as of a moment. */
function ended(id: string, status: string, reason: string, at: string): string {
  return `UPDATE orders.orders SET status = '${status}', reason = '${reason}', updated_at = ${at},
    history = history || jsonb_build_object('status', '${status}', 'at', ${at}) WHERE id = ${id}`;
}

/** Posts a movement of money like an order's capture, or against it: whole, with entries and balances. */
function posted(kind: 'capture' | 'refund', order: string): string {
  const [from, to] = kind === 'capture' ? ['from_account', 'to_account'] : ['to_account', 'from_account'];
  return `SELECT bank.post(ARRAY[gen_random_uuid()], ARRAY['${kind}'], ARRAY[order_id], ARRAY[site_id], ARRAY[tender],
      ARRAY[${from}], ARRAY[${to}], ARRAY[amount], ARRAY[currency], ARRAY[NULL::uuid], :now)
    FROM bank.transactions WHERE kind = 'capture' AND order_id = ${order}`;
}

const charged: readonly Plant[] = [
  {
    what: 'an order for cash that was booked to a card',
    breaks: CHARGED,
    sql: [`UPDATE bank.transactions SET tender = 'card' WHERE tender = 'cash'`],
  },
  {
    what: 'an order that was paid by somebody else',
    breaks: CHARGED,
    breaksToo: ['the profile of everybody counts the orders that they placed'],
    sql: [`UPDATE orders.orders SET customer_id = gen_random_uuid() WHERE status = 'ready'`],
  },
  {
    what: 'an order that was charged less than its total',
    breaks: CHARGED,
    breaksToo: [LINES],
    sql: [`UPDATE orders.orders SET total_amount = total_amount + 1 WHERE id = ${coffee('waiting')}`],
  },
  {
    what: 'an order that is served and was never charged',
    breaks: CHARGED,
    breaksToo: ['every entry belongs to a transaction'],
    sql: [`DELETE FROM bank.transactions WHERE order_id = ${coffee('waiting')}`],
  },
  {
    what: 'an order that is served and was refunded',
    breaks: CHARGED,
    breaksToo: [PROFILE],
    sql: [posted('refund', coffee('waiting'))],
  },
  {
    what: 'a cancelled order whose money is still here',
    breaks: 'an order that ended without its goods keeps no money',
    sql: [ended(coffee('waiting'), 'cancelled', 'cancelled-by-staff', ":now - interval '2 minutes'")],
  },
  {
    what: 'an order that was charged although it was declined',
    breaks: 'an order that was refused for want of stock or money was never charged',
    sql: [ended(coffee('waiting'), 'rejected', 'payment-declined', ':now')],
  },
  {
    what: 'money for an order that is not there',
    breaks: 'nothing is charged or refunded for an order that does not exist',
    sql: [`DELETE FROM orders.orders WHERE id = ${coffee('delivered')}`],
  },
  {
    what: 'an order that was charged twice',
    breaks: ONCE,
    sql: ['DROP INDEX bank.one_capture_per_order', posted('capture', coffee('delivered'))],
  },
  {
    what: 'an order that was refunded twice',
    breaks: ONCE,
    breaksToo: [PROFILE],
    sql: [
      'DROP INDEX bank.one_refund_per_order',
      posted('refund', "(SELECT order_id FROM bank.transactions WHERE kind = 'refund' LIMIT 1)"),
    ],
  },
];

const served: readonly Plant[] = [
  {
    what: 'an order that nobody decides',
    breaks: 'an order is decided soon after it was placed',
    sql: [`UPDATE orders.orders SET placed_at = :now - interval '2 minutes' WHERE status = 'placed'`],
  },
  {
    what: 'a paid order without units',
    breaks: 'a paid order has the units that it was placed for',
    sql: [
      `UPDATE orders.orders SET lines = replace(lines::text, 'made-to-order', 'unit')::json
       WHERE id = ${coffee('waiting')}`,
    ],
  },
  {
    what: 'units that were allocated before the payment',
    breaks: 'units are given away only for an order that was paid',
    sql: [
      `UPDATE orders.orders SET status = 'placed', placed_at = :now, updated_at = :now,
         history = jsonb_build_array(jsonb_build_object('status', 'placed', 'at', :now)) WHERE status = 'preparation'`,
    ],
  },
  {
    what: 'an order that was ready before it was paid',
    breaks: WALK,
    sql: [
      `UPDATE orders.orders SET history = jsonb_insert(history, '{1}', '{"status": "ready"}')
       WHERE id = ${coffee('waiting')}`,
    ],
  },
  {
    what: 'an order that begins in the middle',
    breaks: WALK,
    sql: [`UPDATE orders.orders SET history = history - 0 WHERE id = ${coffee('waiting')}`],
  },
  {
    what: 'a line that costs another price than it says',
    breaks: LINES,
    sql: [
      `UPDATE orders.orders SET lines = jsonb_set(lines::jsonb, '{0,unitPrice,amount}', '1')::json
       WHERE status = 'rejected'`,
    ],
  },
];

const answered: readonly Plant[] = [
  {
    what: 'a key that placed two orders',
    breaks: 'a key placed one order at most',
    sql: [
      'DROP INDEX orders.one_order_per_key',
      `UPDATE orders.orders SET idempotency_key = 'again', request_hash = '\\x00' WHERE idempotency_key IS NOT NULL`,
    ],
  },
  {
    what: 'a key that placed an order and was refused',
    breaks: 'a key that placed an order was not refused as well',
    sql: [
      `INSERT INTO orders.idempotency_keys (scope, key, request_hash, status, body, headers)
       SELECT 'orders user:' || placed_by || ' POST /api/orders', idempotency_key, decode(repeat('00', 32), 'hex'), 409,
         '{}', '{}'
       FROM orders.orders WHERE idempotency_key IS NOT NULL`,
    ],
  },
];

export const orderPlants: readonly Plant[] = [...charged, ...served, ...answered];
