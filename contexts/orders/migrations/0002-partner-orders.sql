-- One go of processing: how many partner orders it took, and what became of them. Kept, so that whoever asked for it
-- can be told again what came of it, whatever has happened to the orders since.
CREATE TABLE orders.partner_runs (
  id uuid PRIMARY KEY,
  started_at timestamptz NOT NULL,
  -- Nothing is left to be taken: only then its numbers are all.
  is_complete boolean NOT NULL DEFAULT false,
  total integer NOT NULL DEFAULT 0,
  processed integer NOT NULL DEFAULT 0,
  failed integer NOT NULL DEFAULT 0,
  dropped integer NOT NULL DEFAULT 0,
  CONSTRAINT nothing_twice CHECK (processed >= 0 AND failed >= 0 AND dropped >= 0
    AND processed + failed + dropped <= total)
);

-- What a partner ordered, by the partner's own number, as it was imported: lines are never written again.
CREATE TABLE orders.partner_orders (
  id uuid PRIMARY KEY,
  number text NOT NULL UNIQUE,
  items jsonb NOT NULL,
  total_quantity double precision NOT NULL,
  imported_at timestamptz NOT NULL,
  status text NOT NULL DEFAULT 'NEW' CHECK (status IN ('NEW', 'PROCESSED', 'FAILED')),
  -- Why it failed.
  reason text,
  -- Counts on with each processing. An answer to an earlier one is an answer to nothing.
  attempt integer NOT NULL DEFAULT 0,
  -- The warehouses have been asked and have not answered yet.
  is_asked boolean NOT NULL DEFAULT false,
  run_id uuid REFERENCES orders.partner_runs,
  updated_at timestamptz NOT NULL,
  -- What every attempt came to, in order: so that it can be told again after a reset.
  decisions jsonb NOT NULL DEFAULT '[]',
  CONSTRAINT asked_while_new CHECK (NOT is_asked OR status = 'NEW'),
  CONSTRAINT failed_for_a_reason CHECK ((status = 'FAILED') = (reason IS NOT NULL)),
  CONSTRAINT decided_in_an_attempt CHECK (status = 'NEW' OR (attempt > 0 AND run_id IS NOT NULL))
) WITH (fillfactor = 70);
-- Lists by status; and, by their ids, what is still to be processed.
CREATE INDEX partner_orders_by_status ON orders.partner_orders (status, id);

GRANT SELECT, INSERT ON orders.partner_orders, orders.partner_runs TO provender_orders;
GRANT UPDATE (status, reason, attempt, is_asked, run_id, updated_at, decisions) ON orders.partner_orders
  TO provender_orders;
GRANT UPDATE (is_complete, total, processed, failed, dropped) ON orders.partner_runs TO provender_orders;
