-- What a transfer matches a warehouse's item by. Null for products that were defined before and not said again since.
ALTER TABLE inventory.products ADD COLUMN sku text;

-- The outside source of warehouse quantities, and how it is with the mirror of it. One row; whoever changes the mirror
-- or the ledger of allocations locks it first, so that no two do so at once and no item is locked one by one.
CREATE TABLE inventory.warehouse_source (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  -- Of the address: validators of one source mean nothing to another. Not the address itself, which may hold a
  -- password.
  address_hash text,
  etag text,
  last_modified text,
  -- Questions are numbered, and an answer is taken only if none to a later question has been: of two that are under way
  -- at once the older may come last.
  asked bigint NOT NULL DEFAULT 0,
  answered bigint NOT NULL DEFAULT 0 CHECK (answered <= asked),
  synced_at timestamptz,
  stale_since timestamptz,
  failures integer NOT NULL DEFAULT 0,
  fault text,
  CONSTRAINT stale_while_it_fails
    CHECK ((failures > 0) = (stale_since IS NOT NULL) AND (failures > 0) = (fault IS NOT NULL))
);
INSERT INTO inventory.warehouse_source DEFAULT VALUES;

CREATE TABLE inventory.warehouses (
  -- As the source calls it.
  id text PRIMARY KEY,
  name text NOT NULL,
  missing_since timestamptz
);

-- Mirrored quantity and our own allocations, side by side: a sync writes the one and never the other. The source knows
-- nothing of what we set aside; it may come to have less than that.
CREATE TABLE inventory.warehouse_items (
  warehouse_id text NOT NULL REFERENCES inventory.warehouses,
  sku text NOT NULL,
  name text NOT NULL,
  quantity bigint NOT NULL DEFAULT 0 CHECK (quantity >= 0),
  allocated bigint NOT NULL DEFAULT 0 CHECK (allocated >= 0),
  missing_since timestamptz,
  -- None of what the source lists no longer is free.
  free bigint NOT NULL
    GENERATED ALWAYS AS (CASE WHEN missing_since IS NULL THEN greatest(quantity - allocated, 0) ELSE 0 END) STORED,
  PRIMARY KEY (warehouse_id, sku)
);
CREATE INDEX warehouse_items_by_sku ON inventory.warehouse_items (sku);

-- The ledger of allocations: for whom so much of an item was set aside. Never deleted; what was given back says when.
CREATE TABLE inventory.warehouse_allocations (
  -- The partner order, or the batch that a transfer made.
  reference uuid NOT NULL,
  attempt integer NOT NULL,
  warehouse_id text NOT NULL,
  sku text NOT NULL,
  purpose text NOT NULL CHECK (purpose IN ('partner-order', 'transfer')),
  quantity bigint NOT NULL CHECK (quantity > 0),
  allocated_at timestamptz NOT NULL,
  released_at timestamptz,
  PRIMARY KEY (reference, attempt, warehouse_id, sku),
  FOREIGN KEY (warehouse_id, sku) REFERENCES inventory.warehouse_items,
  CONSTRAINT transfers_stay CHECK (purpose <> 'transfer' OR released_at IS NULL)
);

-- Every change of a quantity, with what stood there after it. Only ever added to.
CREATE TABLE inventory.warehouse_movements (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  warehouse_id text NOT NULL,
  sku text NOT NULL,
  at timestamptz NOT NULL,
  kind text NOT NULL CHECK (kind IN ('synced', 'allocated', 'released', 'transferred')),
  quantity_change bigint NOT NULL,
  allocated_change bigint NOT NULL,
  quantity bigint NOT NULL CHECK (quantity >= 0),
  allocated bigint NOT NULL CHECK (allocated >= 0),
  reference uuid,
  CONSTRAINT something_changed CHECK (quantity_change <> 0 OR allocated_change <> 0),
  CONSTRAINT a_sync_allocates_nothing CHECK (kind <> 'synced' OR allocated_change = 0),
  CONSTRAINT never_more_than_is_there CHECK (allocated_change <= 0 OR allocated <= quantity)
);
CREATE INDEX warehouse_movements_by_warehouse ON inventory.warehouse_movements (warehouse_id, id);

-- The functions below are the only way to write the mirror, the ledger and the movements: the context's role may read
-- these tables and call them. Each locks the source's row first.

-- Changes quantities, one after the other, and writes each change down. The caller has the lock.
CREATE FUNCTION inventory.move_warehouse_stock(
  warehouse_ids text[], skus text[], quantity_changes bigint[], allocated_changes bigint[], kinds text[],
  referred_to uuid[], moment timestamptz
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = inventory, pg_temp AS $$
DECLARE
  moved bigint;
BEGIN
  INSERT INTO warehouse_movements
    (warehouse_id, sku, at, kind, quantity_change, allocated_change, quantity, allocated, reference)
  SELECT change.warehouse_id, change.sku, moment, change.kind, change.of_quantity, change.of_allocated,
    items.quantity + sum(change.of_quantity) OVER so_far, items.allocated + sum(change.of_allocated) OVER so_far,
    change.reference
  FROM unnest(warehouse_ids, skus, quantity_changes, allocated_changes, kinds, referred_to) WITH ORDINALITY
      AS change (warehouse_id, sku, of_quantity, of_allocated, kind, reference, n)
    JOIN warehouse_items AS items ON items.warehouse_id = change.warehouse_id AND items.sku = change.sku
  WINDOW so_far AS (PARTITION BY change.warehouse_id, change.sku ORDER BY change.n)
  ORDER BY change.n;
  GET DIAGNOSTICS moved = ROW_COUNT;
  IF moved <> cardinality(skus) THEN
    RAISE EXCEPTION 'No warehouse has such an item' USING ERRCODE = 'PV202';
  END IF;

  UPDATE warehouse_items SET quantity = warehouse_items.quantity + change.of_quantity,
    allocated = warehouse_items.allocated + change.of_allocated
  FROM (
    SELECT warehouse_id, sku, sum(of_quantity) AS of_quantity, sum(of_allocated) AS of_allocated
    FROM unnest(warehouse_ids, skus, quantity_changes, allocated_changes)
      AS each (warehouse_id, sku, of_quantity, of_allocated)
    GROUP BY warehouse_id, sku
  ) AS change
  WHERE warehouse_items.warehouse_id = change.warehouse_id AND warehouse_items.sku = change.sku;
END $$;

-- Makes the mirror what the source says, all of it. What it lists no longer is marked. Gives how many quantities have
-- changed, and how many items are newly missing.
CREATE FUNCTION inventory.mirror_warehouses(
  ids text[], names text[], warehouse_ids text[], skus text[], item_names text[], quantities bigint[],
  moment timestamptz
) RETURNS TABLE (changed bigint, missing bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = inventory, pg_temp AS $$
DECLARE
  at_warehouses text[];
  of_skus text[];
  changes bigint[];
BEGIN
  PERFORM FROM warehouse_source FOR UPDATE;

  INSERT INTO warehouses (id, name) SELECT * FROM unnest(ids, names)
  ON CONFLICT (id) DO UPDATE SET name = excluded.name, missing_since = NULL
  WHERE warehouses.name <> excluded.name OR warehouses.missing_since IS NOT NULL;
  UPDATE warehouses SET missing_since = moment WHERE missing_since IS NULL AND id <> ALL (ids);

  INSERT INTO warehouse_items (warehouse_id, sku, name) SELECT * FROM unnest(warehouse_ids, skus, item_names)
  ON CONFLICT (warehouse_id, sku) DO UPDATE SET name = excluded.name, missing_since = NULL
  WHERE warehouse_items.name <> excluded.name OR warehouse_items.missing_since IS NOT NULL;
  UPDATE warehouse_items SET missing_since = moment
  WHERE missing_since IS NULL AND NOT EXISTS (
    SELECT FROM unnest(warehouse_ids, skus) AS listed (warehouse_id, sku)
    WHERE listed.warehouse_id = warehouse_items.warehouse_id AND listed.sku = warehouse_items.sku
  );
  GET DIAGNOSTICS missing = ROW_COUNT;

  SELECT count(*), array_agg(items.warehouse_id), array_agg(items.sku), array_agg(listed.quantity - items.quantity)
  FROM unnest(warehouse_ids, skus, quantities) AS listed (warehouse_id, sku, quantity)
    JOIN warehouse_items AS items ON items.warehouse_id = listed.warehouse_id AND items.sku = listed.sku
  WHERE items.quantity <> listed.quantity INTO changed, at_warehouses, of_skus, changes;
  IF changed > 0 THEN
    PERFORM move_warehouse_stock(
      at_warehouses, of_skus, changes, array_fill(0::bigint, ARRAY[changed::integer]),
      array_fill('synced'::text, ARRAY[changed::integer]), array_fill(NULL::uuid, ARRAY[changed::integer]), moment);
  END IF;
  RETURN NEXT;
END $$;

-- Sets stock aside. More than is there is refused by the movements' own check.
CREATE FUNCTION inventory.allocate_warehouse_stock(
  referred_to uuid[], attempts integer[], warehouse_ids text[], skus text[], quantities bigint[], for_purpose text,
  moment timestamptz
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = inventory, pg_temp AS $$
BEGIN
  PERFORM FROM warehouse_source FOR UPDATE;
  INSERT INTO warehouse_allocations
    (reference, attempt, warehouse_id, sku, purpose, quantity, allocated_at)
  SELECT wanted.reference, wanted.attempt, wanted.warehouse_id, wanted.sku, for_purpose, wanted.quantity, moment
  FROM unnest(referred_to, attempts, warehouse_ids, skus, quantities)
    AS wanted (reference, attempt, warehouse_id, sku, quantity);
  PERFORM move_warehouse_stock(
    warehouse_ids, skus, array_fill(0::bigint, ARRAY[cardinality(skus)]), quantities,
    array_fill(CASE for_purpose WHEN 'transfer' THEN 'transferred' ELSE 'allocated' END, ARRAY[cardinality(skus)]),
    referred_to, moment);
END $$;

-- Gives back what was set aside for partner orders in these attempts. What was given back already stays so. Gives how
-- many lines of the ledger were ended.
CREATE FUNCTION inventory.release_warehouse_stock(referred_to uuid[], attempts integer[], moment timestamptz)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = inventory, pg_temp AS $$
DECLARE
  ended bigint;
  at_warehouses text[];
  of_skus text[];
  changes bigint[];
  given_back uuid[];
BEGIN
  PERFORM FROM warehouse_source FOR UPDATE;
  WITH released AS (
    UPDATE warehouse_allocations SET released_at = moment
    FROM unnest(referred_to, attempts) AS given (reference, attempt)
    WHERE warehouse_allocations.reference = given.reference AND warehouse_allocations.attempt = given.attempt
      AND warehouse_allocations.released_at IS NULL AND warehouse_allocations.purpose = 'partner-order'
    RETURNING warehouse_allocations.*
  )
  SELECT count(*), array_agg(warehouse_id), array_agg(sku), array_agg(-quantity), array_agg(reference)
  FROM released INTO ended, at_warehouses, of_skus, changes, given_back;
  IF ended > 0 THEN
    PERFORM move_warehouse_stock(
      at_warehouses, of_skus, array_fill(0::bigint, ARRAY[ended::integer]), changes,
      array_fill('released'::text, ARRAY[ended::integer]), given_back, moment);
  END IF;
  RETURN ended;
END $$;

REVOKE ALL ON FUNCTION inventory.move_warehouse_stock, inventory.mirror_warehouses,
  inventory.allocate_warehouse_stock, inventory.release_warehouse_stock FROM PUBLIC;
GRANT EXECUTE ON FUNCTION inventory.mirror_warehouses, inventory.allocate_warehouse_stock,
  inventory.release_warehouse_stock TO provender_inventory;
GRANT SELECT ON inventory.warehouse_source, inventory.warehouses, inventory.warehouse_items,
  inventory.warehouse_allocations, inventory.warehouse_movements TO provender_inventory;
GRANT UPDATE ON inventory.warehouse_source TO provender_inventory;
