-- Production's own copies of what it must know of sites and products, fed by the catalog's events.

CREATE TABLE production.sites (
  id uuid PRIMARY KEY,
  kind text NOT NULL,
  time_zone text NOT NULL,
  opens_at text NOT NULL,
  closes_at text NOT NULL
);

CREATE TABLE production.products (
  id uuid PRIMARY KEY,
  stock text NOT NULL,
  shelf_life_minutes integer,
  keeps_overnight boolean NOT NULL,
  unit_cost bigint NOT NULL,
  currency text NOT NULL,
  withdrawn boolean NOT NULL DEFAULT false
);

CREATE TABLE production.schedules (
  id uuid PRIMARY KEY,
  site_id uuid NOT NULL REFERENCES production.sites (id),
  product_id uuid NOT NULL REFERENCES production.products (id),
  -- ISO 8601, as it was written, and what it comes to.
  every text NOT NULL,
  every_seconds integer NOT NULL CHECK (every_seconds BETWEEN 60 AND 86400),
  quantity integer NOT NULL CHECK (quantity BETWEEN 1 AND 10000),
  -- Slots before this moment are settled: baked, or skipped for good.
  settled_until timestamptz NOT NULL,
  ended_at timestamptz
);

-- Lists of a site, newest first; and the schedules that a site's new hours concern.
CREATE INDEX schedules_living_of_site ON production.schedules (site_id, id) WHERE ended_at IS NULL;
CREATE INDEX schedules_living_of_product ON production.schedules (product_id) WHERE ended_at IS NULL;

CREATE TABLE production.batches (
  id uuid PRIMARY KEY,
  site_id uuid NOT NULL,
  product_id uuid NOT NULL,
  quantity integer NOT NULL CHECK (quantity BETWEEN 1 AND 10000),
  made_at timestamptz NOT NULL,
  schedule_id uuid,
  -- One batch per slot, whoever comes twice: for a scheduled batch made_at is the slot.
  UNIQUE (schedule_id, made_at)
);

CREATE INDEX batches_of_site ON production.batches (site_id, made_at DESC, id DESC);
CREATE INDEX batches_newest ON production.batches (made_at DESC, id DESC);

GRANT SELECT, INSERT, UPDATE ON production.sites, production.products, production.schedules TO provender_production;
GRANT SELECT, INSERT ON production.batches TO provender_production;
