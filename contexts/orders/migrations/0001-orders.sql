-- Orders' own copy of what it needs of sites: their hours decide about shop orders and the closing discount.
CREATE TABLE orders.sites (
  id uuid PRIMARY KEY,
  time_zone text NOT NULL,
  opens_at text NOT NULL,
  closes_at text NOT NULL,
  currency text NOT NULL
);

-- Orders' own price list. A withdrawn product stays, so that a late definition cannot bring it back.
CREATE TABLE orders.products (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  price_amount bigint NOT NULL CHECK (price_amount >= 0),
  currency text NOT NULL,
  stock text NOT NULL CHECK (stock IN ('unit', 'made-to-order')),
  closing_discount_percent integer NOT NULL CHECK (closing_discount_percent BETWEEN 0 AND 100),
  variations jsonb NOT NULL,
  is_withdrawn boolean NOT NULL DEFAULT false
);

-- One row per order, whole: lines with frozen names and prices, and its life so far. No foreign key to sites: its check
-- would lock the site's row for every purchase.
CREATE TABLE orders.orders (
  id uuid PRIMARY KEY,
  site_id uuid NOT NULL,
  -- Whose order it is; null for a sale at the counter to nobody known.
  customer_id uuid,
  placed_by uuid NOT NULL,
  channel text NOT NULL CHECK (channel IN ('shop', 'counter')),
  tender text NOT NULL CHECK (tender IN ('cash', 'card', 'account')),
  received_amount bigint,
  total_amount bigint NOT NULL CHECK (total_amount >= 0),
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  placed_at timestamptz NOT NULL,
  note text,
  idempotency_key text,
  request_hash bytea,
  -- json and not jsonb: it is kept and given back whole, and parsing 500 bytes into jsonb costs 12 µs instead of 3.
  lines json NOT NULL,
  -- What changes stands last, together: of an update within a page the log then holds only this part, not the lines.
  status text NOT NULL
    CHECK (status IN ('placed', 'waiting', 'preparation', 'ready', 'delivered', 'cancelled', 'rejected')),
  -- Why it ended otherwise than by being handed over to who asked for it.
  reason text,
  -- What a rejected buyer may know: the shortages, or why the bank said no. Kept for repeats of the first answer.
  rejection jsonb,
  updated_at timestamptz NOT NULL,
  history jsonb NOT NULL,
  -- Its own column, and not an index over status: most status changes leave it alone, so that paying for a shop order
  -- is a HOT update that touches no index.
  is_open boolean GENERATED ALWAYS AS (status NOT IN ('delivered', 'cancelled', 'rejected')) STORED,
  CONSTRAINT account_has_owner CHECK (tender <> 'account' OR customer_id IS NOT NULL),
  CONSTRAINT cash_covers_total
    CHECK ((tender = 'cash') = (received_amount IS NOT NULL) AND received_amount >= total_amount),
  CONSTRAINT cancelled_or_rejected_for_a_reason CHECK (status NOT IN ('cancelled', 'rejected') OR reason IS NOT NULL),
  CONSTRAINT history_ends_in_status CHECK (history -> -1 ->> 'status' = status),
  CONSTRAINT key_is_bound_to_request CHECK ((idempotency_key IS NULL) = (request_hash IS NULL))
) WITH (
  -- Room on the page for the one update that nearly every order gets within milliseconds of its insert.
  fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05
);

-- The promise that a key places one order; also where a repeat finds it.
CREATE UNIQUE INDEX one_order_per_key ON orders.orders (placed_by, idempotency_key) WHERE idempotency_key IS NOT NULL;
-- Lists are newest first by id: ids are made in order of time, and the cursor is one column.
CREATE INDEX orders_by_site ON orders.orders (site_id, id);
CREATE INDEX orders_by_customer ON orders.orders (customer_id, id) WHERE customer_id IS NOT NULL;
-- The board of a site, and what its closing has to end.
CREATE INDEX open_orders ON orders.orders (site_id, id) WHERE is_open;
-- The few that ended otherwise, among the many that did not. `reason` is never written when all goes well.
CREATE INDEX orders_with_reason ON orders.orders (site_id, id) WHERE reason IS NOT NULL;

-- An order is never deleted, and what was frozen when it was placed is never written again.
GRANT SELECT, INSERT ON orders.sites, orders.products, orders.orders TO provender_orders;
GRANT UPDATE ON orders.sites, orders.products TO provender_orders;
GRANT UPDATE (status, reason, rejection, updated_at, history) ON orders.orders TO provender_orders;
