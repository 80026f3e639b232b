-- Run once in the schema of every context, with search_path set to it.

-- How far this context's log has been carried out of the database (EVENTS=kafka), and which process carries it.
-- The epoch rises with every new owner: one that was paused for longer than its lease finds that it is no longer the
-- one.
CREATE TABLE relay (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  position bigint NOT NULL DEFAULT 0 CHECK (position >= 0),
  owner text NOT NULL DEFAULT '',
  epoch bigint NOT NULL DEFAULT 0,
  -- Wall time: business time may stand still or run fast.
  lease_until timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 10);
INSERT INTO relay DEFAULT VALUES;

-- The last event that went into each partition of the topic: the next one there names it as the one before. `begins`:
-- nothing older can be read from the log. `next_offset` is where the topic ended then, so that an emptied one is
-- noticed.
CREATE TABLE relay_partitions (
  partition integer PRIMARY KEY CHECK (partition >= 0),
  position bigint NOT NULL CHECK (position >= 0),
  begins boolean NOT NULL DEFAULT false,
  next_offset bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10);
