-- What inventory must know of sites and products: its own copies, fed by the catalog's events.
CREATE TABLE inventory.sites (
  id uuid PRIMARY KEY,
  kind text NOT NULL,
  time_zone text NOT NULL,
  opens_at text NOT NULL,
  closes_at text NOT NULL,
  currency text NOT NULL
);

CREATE TABLE inventory.products (
  id uuid PRIMARY KEY,
  stock text NOT NULL,
  -- null: does not go stale
  shelf_life_minutes integer CHECK (shelf_life_minutes > 0),
  keeps_overnight boolean NOT NULL,
  unit_cost bigint NOT NULL,
  currency text NOT NULL,
  withdrawn boolean NOT NULL DEFAULT false
);

-- What came to a shelf at one moment and is all of one age.
CREATE TABLE inventory.batches (
  id uuid PRIMARY KEY,
  site_id uuid NOT NULL,
  product_id uuid NOT NULL,
  source text NOT NULL CHECK (source IN ('batch', 'receipt', 'transfer')),
  quantity integer NOT NULL CHECK (quantity > 0),
  made_at timestamptz NOT NULL,
  -- When it came to this shelf. Bought-in goods may be older than their time here: a closing before it was not theirs.
  shelved_at timestamptz NOT NULL,
  -- The ids of its units lie between these two. So a walk through a batch is a walk through a part of the primary key
  -- of the units, and the hot table needs no index for it.
  first_unit_id uuid NOT NULL,
  last_unit_id uuid NOT NULL
);
CREATE INDEX batches_by_age ON inventory.batches (made_at, id);
CREATE INDEX batches_by_site ON inventory.batches (site_id, made_at, id);
CREATE INDEX batches_by_product ON inventory.batches (site_id, product_id);

CREATE TYPE inventory.unit_state AS ENUM ('available', 'held', 'allocated', 'sold', 'discarded');

-- One step in the life of a unit.
CREATE TYPE inventory.unit_step AS (state inventory.unit_state, at timestamptz, order_id uuid, reason text);

-- The same table as `unitTransitions` in contracts; a test compares the two. A function over constants is evaluated in
-- place, where a look-up in a real table would cost the hot path a query per unit; but only while it is not STRICT (a
-- call of its own then, 7 µs a step).
CREATE FUNCTION inventory.unit_may_become(from_state inventory.unit_state, to_state inventory.unit_state)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE from_state
    WHEN 'available' THEN to_state IN ('held', 'discarded')
    WHEN 'held' THEN to_state IN ('available', 'allocated', 'sold', 'discarded')
    WHEN 'allocated' THEN to_state IN ('available', 'sold', 'discarded')
    ELSE false
  END
$$;

-- One row per physical item, with its whole history in the row. A row has one state and one order, so by construction a
-- unit is in one open hold at most and is sold at most once.
CREATE TABLE inventory.units (
  id uuid PRIMARY KEY,
  site_id uuid NOT NULL,
  product_id uuid NOT NULL,
  batch_id uuid NOT NULL,
  made_at timestamptz NOT NULL,
  -- null: never
  stale_at timestamptz,
  unit_cost bigint NOT NULL,
  state_at timestamptz NOT NULL,
  state inventory.unit_state NOT NULL DEFAULT 'available',
  -- Follows the state. The index for picking looks at this and not at the state, so that a step between two other
  -- states (held → sold) touches no indexed column and can stay within its page (HOT).
  is_available boolean GENERATED ALWAYS AS (state = 'available') STORED,
  currency text NOT NULL,
  order_id uuid,
  -- Why it is in this state: the reason of a release or of waste.
  reason text,
  steps inventory.unit_step[] NOT NULL,
  -- History and state agree, so no state is written without its step, whoever writes.
  CONSTRAINT state_is_the_last_step CHECK (steps[cardinality(steps)].state = state AND cardinality(steps) > 0),
  CONSTRAINT order_where_one_is_served CHECK ((state IN ('held', 'allocated', 'sold')) = (order_id IS NOT NULL))
) WITH (
  fillfactor = 85,
  autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0,
  autovacuum_vacuum_insert_scale_factor = 0.05,
  autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 1000
);

-- Oldest first: a sale walks it from the left and stops when it has enough.
CREATE INDEX units_on_shelf ON inventory.units (site_id, product_id, made_at, id) INCLUDE (stale_at) WHERE is_available;

-- No free unit of the product at the site is older than this: where a sale begins to walk. While a transaction is open
-- for long, nothing behind it can be cleared from the index, and a walk from its left end grows with all that was sold
-- since (from 25 to 550 µs a purchase in half a minute at 1,300 purchases a second).
-- Whoever puts units on a shelf locks this row and lowers it, whoever raises it looks for the oldest unit under that
-- lock.
CREATE TABLE inventory.shelf_starts (
  site_id uuid NOT NULL,
  product_id uuid NOT NULL,
  made_at timestamptz NOT NULL,
  PRIMARY KEY (site_id, product_id)
) WITH (fillfactor = 50);

CREATE FUNCTION inventory.hold_may_become(from_state text, to_state text)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE from_state
    WHEN 'held' THEN to_state IN ('allocated', 'sold', 'released', 'expired')
    WHEN 'allocated' THEN to_state IN ('sold', 'released')
    ELSE false
  END
$$;

-- The units set aside for one order. None is written for an order of which everything is made to order.
CREATE TABLE inventory.holds (
  order_id uuid PRIMARY KEY,
  site_id uuid NOT NULL,
  unit_ids uuid[] NOT NULL CHECK (cardinality(unit_ids) > 0),
  expires_at timestamptz NOT NULL,
  state text NOT NULL DEFAULT 'held' CHECK (state IN ('held', 'allocated', 'sold', 'released', 'expired'))
) WITH (
  fillfactor = 85,
  autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0,
  autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 1000
);
-- Small whatever is behind it: holds whose end is to come, for the expiry, and all that are open, for stock levels.
CREATE INDEX holds_open ON inventory.holds (state, expires_at) WHERE state IN ('held', 'allocated');

-- What was thrown out, as it was recorded. Only ever added to.
CREATE TABLE inventory.waste (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  site_id uuid NOT NULL,
  product_id uuid NOT NULL,
  batch_id uuid NOT NULL,
  reason text NOT NULL CHECK (reason IN ('stale', 'closing', 'damaged', 'other')),
  at timestamptz NOT NULL,
  quantity integer NOT NULL CHECK (quantity > 0),
  cost bigint NOT NULL,
  currency text NOT NULL
);
CREATE INDEX waste_by_time ON inventory.waste (site_id, at);

-- The functions below are the only way to write units and to close holds. They run as their owner; the context's role
-- may call them and has no right to write these tables otherwise. A trigger on every row would do the same at a third
-- more: PostgreSQL locks a row once more for a BEFORE UPDATE trigger (18 µs an update against 13, CPU, median of
-- three). Their planner settings are theirs alone: a plan that was made while the tables were small must not read them
-- whole when they have grown, and plans of a connection are kept.

-- Lets sales begin as early as with units of these moments. A row that is early enough is locked all the same.
CREATE FUNCTION inventory.lower_shelf_starts(site_ids uuid[], product_ids uuid[], made_moments timestamptz[])
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = inventory, pg_temp AS $$
  INSERT INTO shelf_starts (site_id, product_id, made_at)
  SELECT put.site_id, put.product_id, min(put.made_at)
  FROM unnest(site_ids, product_ids, made_moments) AS put (site_id, product_id, made_at)
  GROUP BY put.site_id, put.product_id ORDER BY put.site_id, put.product_id
  ON CONFLICT (site_id, product_id) DO UPDATE SET made_at = excluded.made_at
  WHERE excluded.made_at < shelf_starts.made_at
$$;

-- Lets sales begin with the oldest unit that is free now; with whatever comes next, where none is. Two statements: the
-- second looks after the lock is held, so that it sees all that was put on the shelf before. A shelf that somebody is
-- putting units on at this moment is left for the next time.
CREATE FUNCTION inventory.raise_shelf_starts(site_ids uuid[], product_ids uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = inventory, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
DECLARE
  locked_sites uuid[];
  locked_products uuid[];
BEGIN
  SELECT array_agg(locked.site_id), array_agg(locked.product_id) INTO locked_sites, locked_products FROM (
    SELECT start.site_id, start.product_id FROM shelf_starts AS start
    WHERE (start.site_id, start.product_id) IN (SELECT * FROM unnest(site_ids, product_ids)) FOR UPDATE SKIP LOCKED
  ) AS locked;
  UPDATE shelf_starts AS start SET made_at = coalesce(
    (SELECT units.made_at FROM units
     WHERE units.site_id = start.site_id AND units.product_id = start.product_id AND units.is_available
       AND units.made_at >= start.made_at
     ORDER BY units.made_at, units.id LIMIT 1),
    'infinity')
  FROM unnest(locked_sites, locked_products) AS locked (site_id, product_id)
  WHERE start.site_id = locked.site_id AND start.product_id = locked.product_id;
END $$;

-- Makes the units of batches. `nth` says to which of the batches, counted from 1, a unit belongs.
CREATE FUNCTION inventory.make_units(
  ids uuid[], nth integer[], site_ids uuid[], product_ids uuid[], batch_ids uuid[],
  made_moments timestamptz[], stale_moments timestamptz[], unit_costs bigint[], currencies text[], why text[],
  moment timestamptz
) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = inventory, pg_temp AS $$
  INSERT INTO units (id, site_id, product_id, batch_id, made_at, stale_at, unit_cost, currency, state_at, reason, steps)
  SELECT made.id, site_ids[made.n], product_ids[made.n], batch_ids[made.n], made_moments[made.n], stale_moments[made.n],
    unit_costs[made.n], currencies[made.n], moment, why[made.n],
    ARRAY[ROW('available', moment, NULL, why[made.n])::unit_step]
  FROM unnest(ids, nth) AS made (id, n);

  SELECT lower_shelf_starts(site_ids, product_ids, made_moments);
$$;

-- Finds and locks, per site and product, the oldest so many that are available and stay fresh beyond a moment. A unit
-- that is locked by another transaction at this moment is being thrown out or held, and so is not free.
CREATE FUNCTION inventory.pick_units(
  site_ids uuid[], product_ids uuid[], quantities integer[], fresh_until timestamptz
) RETURNS TABLE (site_id uuid, product_id uuid, id uuid, batch_id uuid, stale_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER ROWS 100
SET search_path = inventory, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
  RETURN QUERY
  SELECT wanted.site_id, wanted.product_id, unit.id, unit.batch_id, unit.stale_at
  FROM unnest(site_ids, product_ids, quantities) AS wanted (site_id, product_id, quantity)
  LEFT JOIN shelf_starts AS start ON start.site_id = wanted.site_id AND start.product_id = wanted.product_id
  CROSS JOIN LATERAL (
    SELECT units.id, units.batch_id, units.stale_at FROM units
    WHERE units.site_id = wanted.site_id AND units.product_id = wanted.product_id AND units.is_available
      AND units.made_at >= coalesce(start.made_at, '-infinity')
      AND (units.stale_at IS NULL OR units.stale_at > fresh_until)
    ORDER BY units.made_at, units.id LIMIT wanted.quantity FOR UPDATE SKIP LOCKED
  ) AS unit;
END $$;

-- Moves units to another state, each for an order (or none), and appends to their history. All of them or an error: a
-- unit may only go where `unit_may_become` allows, and one that is held or allocated only for the order that has it.
CREATE FUNCTION inventory.move_units(
  ids uuid[], states inventory.unit_state[], order_ids uuid[], why text, moment timestamptz
) RETURNS TABLE (
  id uuid, order_id uuid, state inventory.unit_state, site_id uuid, product_id uuid, batch_id uuid,
  stale_at timestamptz, unit_cost bigint, currency text
) LANGUAGE plpgsql SECURITY DEFINER ROWS 100
SET search_path = inventory, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  moved bigint;
BEGIN
  RETURN QUERY
  UPDATE units SET state = move.state, state_at = moment, reason = why,
    order_id = CASE WHEN move.state IN ('held', 'allocated', 'sold') THEN move.order_id END,
    steps = units.steps || ROW(move.state, moment, move.order_id, why)::unit_step
  FROM unnest(ids, states, order_ids) AS move (id, state, order_id)
  WHERE units.id = move.id AND unit_may_become(units.state, move.state)
    AND (units.order_id IS NULL OR units.order_id = move.order_id)
  RETURNING units.id, move.order_id, units.state, units.site_id, units.product_id, units.batch_id, units.stale_at,
    units.unit_cost, units.currency;
  GET DIAGNOSTICS moved = ROW_COUNT;
  IF moved <> cardinality(ids) THEN
    RAISE EXCEPTION 'A unit may not take this step, or serves another order' USING ERRCODE = 'PV201';
  END IF;
  IF 'available' = ANY (states) THEN
    PERFORM lower_shelf_starts(array_agg(units.site_id), array_agg(units.product_id), array_agg(units.made_at))
    FROM units WHERE units.id = ANY (ids) AND units.is_available;
  END IF;
END $$;

-- Units by their ids, from the primary key however small the table was when the plan was made.
CREATE FUNCTION inventory.find_units(ids uuid[]) RETURNS SETOF inventory.units LANGUAGE plpgsql STABLE ROWS 10
SET search_path = inventory, pg_temp SET enable_seqscan = off AS $$
BEGIN
  RETURN QUERY SELECT * FROM units WHERE units.id = ANY (ids);
END $$;

-- Closes holds, or turns them into allocations: those that may become so and, where a count is given, have so many
-- units. Gives the holds that it has changed.
CREATE FUNCTION inventory.close_holds(order_keys uuid[], states text[], unit_counts integer[])
RETURNS TABLE (order_id uuid, site_id uuid, unit_ids uuid[], state text) LANGUAGE plpgsql SECURITY DEFINER ROWS 100
SET search_path = inventory, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
  RETURN QUERY
  UPDATE holds SET state = closing.state
  FROM unnest(order_keys, states, unit_counts) AS closing (order_id, state, unit_count)
  WHERE holds.order_id = closing.order_id AND hold_may_become(holds.state, closing.state)
    AND (closing.unit_count IS NULL OR cardinality(holds.unit_ids) = closing.unit_count)
  RETURNING holds.order_id, holds.site_id, holds.unit_ids, holds.state;
END $$;

REVOKE ALL ON FUNCTION inventory.lower_shelf_starts, inventory.raise_shelf_starts, inventory.make_units,
  inventory.pick_units, inventory.move_units, inventory.find_units, inventory.close_holds FROM PUBLIC;

GRANT SELECT
  ON inventory.sites, inventory.products, inventory.batches, inventory.units, inventory.holds, inventory.waste
  TO provender_inventory;
GRANT INSERT, UPDATE ON inventory.sites, inventory.products TO provender_inventory;
GRANT INSERT ON inventory.batches, inventory.holds, inventory.waste TO provender_inventory;
-- For its row lock only: PostgreSQL locks rows for those alone who may change some column of them.
GRANT UPDATE (reason) ON inventory.units TO provender_inventory;
GRANT EXECUTE ON FUNCTION inventory.raise_shelf_starts, inventory.make_units, inventory.pick_units,
  inventory.move_units, inventory.find_units, inventory.close_holds TO provender_inventory;
