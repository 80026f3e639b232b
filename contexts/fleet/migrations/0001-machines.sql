-- The fleet's own copies of what it must know of sites and products, fed by the catalog's events.

CREATE TABLE fleet.sites (
  id uuid PRIMARY KEY,
  currency text NOT NULL,
  free_vend boolean NOT NULL
);

CREATE TABLE fleet.products (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  price bigint NOT NULL,
  currency text NOT NULL,
  stock text NOT NULL,
  withdrawn boolean NOT NULL DEFAULT false
);

CREATE TABLE fleet.machines (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  site_id uuid NOT NULL REFERENCES fleet.sites (id),
  stock text NOT NULL CHECK (stock IN ('shared', 'own')),
  status text NOT NULL CHECK (status IN ('idle', 'choose_product', 'processing', 'out_of_service')),
  usage_count integer NOT NULL DEFAULT 0 CHECK (usage_count >= 0),
  -- The vend session that has the machine.
  session_id uuid,
  planogram_version integer NOT NULL DEFAULT 0,
  -- What its program signs in with; null once that was revoked.
  client_id uuid,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CHECK ((session_id IS NOT NULL) = (status IN ('choose_product', 'processing')))
);

-- Lists of a site, newest first.
CREATE INDEX machines_of_site ON fleet.machines (site_id, id);
-- start-work takes the first of these that nobody has locked: of those that were used as often, who rested longest.
CREATE INDEX machines_idle ON fleet.machines (usage_count, updated_at, id) WHERE status = 'idle';
CREATE INDEX machines_idle_of_site ON fleet.machines (site_id, usage_count, updated_at, id) WHERE status = 'idle';

-- Every version stays, so that a past sale knows what the slot held.
CREATE TABLE fleet.planograms (
  machine_id uuid NOT NULL REFERENCES fleet.machines (id),
  version integer NOT NULL CHECK (version > 0),
  defined_at timestamptz NOT NULL,
  PRIMARY KEY (machine_id, version)
);

CREATE TABLE fleet.planned_slots (
  machine_id uuid NOT NULL,
  version integer NOT NULL,
  slot text NOT NULL,
  product_id uuid NOT NULL REFERENCES fleet.products (id),
  capacity integer NOT NULL CHECK (capacity BETWEEN 1 AND 1000),
  par_level integer CHECK (par_level BETWEEN 0 AND capacity),
  price bigint CHECK (price >= 0),
  cash_price bigint CHECK (cash_price >= 0),
  currency text NOT NULL,
  PRIMARY KEY (machine_id, version, slot),
  FOREIGN KEY (machine_id, version) REFERENCES fleet.planograms (machine_id, version)
);

CREATE TABLE fleet.sessions (
  id uuid PRIMARY KEY,
  machine_id uuid NOT NULL REFERENCES fleet.machines (id),
  site_id uuid NOT NULL,
  -- Who may choose, and see it: a person, or the machine itself.
  starter_kind text NOT NULL CHECK (starter_kind IN ('user', 'machine')),
  starter_id uuid NOT NULL,
  status text NOT NULL CHECK (status IN
    ('choosing', 'authorised', 'dispensing', 'succeeded', 'failed', 'refunded', 'unknown', 'cancelled'))
);

-- One session at a time has a machine; what is unknown no longer has it.
CREATE UNIQUE INDEX session_of_machine ON fleet.sessions (machine_id)
  WHERE status IN ('choosing', 'authorised', 'dispensing');

CREATE TABLE fleet.session_history (
  session_id uuid NOT NULL REFERENCES fleet.sessions (id),
  seq integer NOT NULL CHECK (seq > 0),
  status text NOT NULL,
  cause text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (session_id, seq)
);

GRANT SELECT, INSERT, UPDATE ON fleet.sites, fleet.products TO provender_fleet;
GRANT SELECT, INSERT ON fleet.machines, fleet.sessions TO provender_fleet;
GRANT UPDATE (status, usage_count, session_id, planogram_version, client_id, updated_at) ON fleet.machines
  TO provender_fleet;
GRANT UPDATE (status) ON fleet.sessions TO provender_fleet;
GRANT SELECT, INSERT ON fleet.planograms, fleet.planned_slots, fleet.session_history TO provender_fleet;
