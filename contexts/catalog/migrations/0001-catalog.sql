-- Sites, products and variations: small tables, changed by people, kept for ever because history names their ids.

CREATE TABLE catalog.sites (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('shop', 'warehouse', 'vending')),
  time_zone text NOT NULL,
  opens_at text NOT NULL,
  closes_at text NOT NULL,
  currency text NOT NULL,
  free_vend boolean NOT NULL,
  -- HH:MM of equal length: text order is time order.
  CHECK (opens_at ~ '^\d\d:\d\d$' AND closes_at ~ '^\d\d:\d\d$' AND opens_at < closes_at)
);

CREATE TABLE catalog.products (
  id uuid PRIMARY KEY,
  sku text NOT NULL,
  name text NOT NULL,
  category text NOT NULL,
  description text,
  price bigint NOT NULL CHECK (price >= 0),
  currency text NOT NULL,
  unit_cost bigint CHECK (unit_cost >= 0),
  stock text NOT NULL CHECK (stock IN ('unit', 'made-to-order')),
  -- ISO 8601, as it was written; null: does not go stale.
  shelf_life text,
  keeps_overnight boolean NOT NULL,
  closing_discount_percent smallint NOT NULL CHECK (closing_discount_percent BETWEEN 0 AND 100),
  withdrawn_at timestamptz,
  CHECK (stock = 'unit' OR shelf_life IS NULL)
);

-- A sku names one living product; one that was withdrawn frees it.
CREATE UNIQUE INDEX products_living_sku ON catalog.products (sku) WHERE withdrawn_at IS NULL;

-- The menu reads the living products of one currency.
CREATE INDEX products_living_currency ON catalog.products (currency) WHERE withdrawn_at IS NULL;

CREATE TABLE catalog.variations (
  id uuid PRIMARY KEY,
  product_id uuid NOT NULL REFERENCES catalog.products (id),
  name text NOT NULL,
  price_delta bigint NOT NULL,
  -- Shown in the order in which they were added; ids of one millisecond do not tell it.
  place bigint GENERATED ALWAYS AS IDENTITY,
  withdrawn_at timestamptz
);

CREATE INDEX variations_of_product ON catalog.variations (product_id, place) WHERE withdrawn_at IS NULL;

-- How many units of a batch lie on a site's shelf, as inventory's events tell it. A bucket at zero is deleted, so the
-- table is as small as the shelf. A bucket may be below zero for a moment, while the event that made its units is
-- parked and those that took them are not: sums come right when it is heard, so no check stands in the way.
CREATE TABLE catalog.menu_stock (
  site_id uuid NOT NULL,
  product_id uuid NOT NULL,
  batch_id uuid NOT NULL,
  stale_at timestamptz,
  available integer NOT NULL,
  PRIMARY KEY (site_id, product_id, batch_id)
) WITH (
  -- Only `available` changes, and often: room on the page keeps the updates off the index.
  fillfactor = 50,
  autovacuum_vacuum_scale_factor = 0.05,
  autovacuum_vacuum_threshold = 200
);

-- Which products a site has, or ever had, units of: the menu of a vending pool or a warehouse.
CREATE TABLE catalog.menu_listed (
  site_id uuid NOT NULL,
  product_id uuid NOT NULL,
  PRIMARY KEY (site_id, product_id)
);

GRANT SELECT, INSERT, UPDATE ON catalog.sites, catalog.products, catalog.variations TO provender_catalog;
GRANT SELECT, INSERT, UPDATE, DELETE ON catalog.menu_stock TO provender_catalog;
GRANT SELECT, INSERT ON catalog.menu_listed TO provender_catalog;
