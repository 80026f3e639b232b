-- Run once in the schema of every context, with search_path set to it.

-- The head of the log. One row; whoever appends takes it last, so that position order is commit order.
CREATE TABLE outbox_head (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  position bigint NOT NULL CHECK (position >= 0)
) WITH (fillfactor = 10);
INSERT INTO outbox_head (position) VALUES (0);

-- The log. Partitioned by position, which only grows with time: a million events a partition.
-- A partition by position is pruned by every cursor's read and keeps the position unique; one by date would do neither.
CREATE TABLE outbox (
  position bigint PRIMARY KEY,
  id uuid NOT NULL,
  type text NOT NULL,
  key text NOT NULL,
  subject text NOT NULL,
  time timestamptz NOT NULL,
  traceparent text,
  data json NOT NULL
) PARTITION BY RANGE (position);

-- Makes sure that the log has room for at least a million events beyond the partition of the head.
CREATE FUNCTION outbox_extend() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  size constant bigint := 1000000;
  head bigint;
  start bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('outbox_extend'), hashtext(current_schema()));
  SELECT position INTO head FROM outbox_head;
  FOR step IN 0..1 LOOP
    start := (head / size + step) * size;
    IF to_regclass(format('outbox_from_%s', start)) IS NULL THEN
      -- Made beside the log and attached: CREATE … PARTITION OF would lock out every reader and writer meanwhile.
      EXECUTE format('CREATE TABLE outbox_from_%s (LIKE outbox INCLUDING ALL)', start);
      EXECUTE format('ALTER TABLE outbox ATTACH PARTITION outbox_from_%s FOR VALUES FROM (%s) TO (%s)',
        start, start, start + size);
    END IF;
  END LOOP;
END $$;
SELECT outbox_extend();

-- What this context has consumed of each source. `epoch` rises whenever an operator touches a parked subject.
CREATE TABLE cursors (
  source text NOT NULL,
  partition integer NOT NULL,
  position bigint NOT NULL,
  epoch bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (source, partition)
) WITH (fillfactor = 10);

-- Events that could not be handled, and those of the same subject that wait behind them.
CREATE TABLE parked_events (
  id uuid PRIMARY KEY,
  source text NOT NULL,
  partition integer NOT NULL,
  position bigint NOT NULL,
  subject text NOT NULL,
  event json NOT NULL,
  error text,
  attempts integer NOT NULL DEFAULT 0,
  parked_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (source, partition, position)
);
CREATE INDEX parked_events_by_subject ON parked_events (source, subject, position);

-- Recurring and delayed work, due by business time.
CREATE TABLE timers (
  name text NOT NULL,
  key text NOT NULL,
  due_at timestamptz NOT NULL,
  data json NOT NULL DEFAULT '{}',
  attempts integer NOT NULL DEFAULT 0,
  -- Wall time: after a failure the work rests for a while, however fast business time runs.
  not_before timestamptz NOT NULL DEFAULT '-infinity',
  PRIMARY KEY (name, key)
);
CREATE INDEX timers_by_due ON timers (due_at);

-- Moves the cursors and appends the events in one statement, as the last one before the commit.
-- A cursor that is not where the caller believes it is fails the transaction: somebody else has done this work.
-- It runs as its owner, so that the context's role can neither forge nor change what was said.
CREATE FUNCTION append_events(
  sources text[], partitions integer[], positions_before bigint[], positions_after bigint[], epochs bigint[],
  said_at timestamptz, ids uuid[], types text[], keys text[], subjects text[], traceparents text[], datas text[]
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  moved integer;
  base bigint;
BEGIN
  IF cardinality(sources) > 0 THEN
    UPDATE cursors SET position = move.after
    FROM unnest(sources, partitions, positions_before, positions_after, epochs)
      AS move (source, partition, before, after, epoch)
    WHERE cursors.source = move.source AND cursors.partition = move.partition
      AND cursors.position = move.before AND cursors.epoch = move.epoch;
    GET DIAGNOSTICS moved = ROW_COUNT;
    IF moved <> cardinality(sources) THEN
      RAISE EXCEPTION 'A cursor has been moved by somebody else' USING ERRCODE = 'PV001';
    END IF;
  END IF;
  IF cardinality(ids) = 0 THEN RETURN NULL; END IF;
  UPDATE outbox_head SET position = position + cardinality(ids) RETURNING position - cardinality(ids) INTO base;
  INSERT INTO outbox (position, id, type, key, subject, time, traceparent, data)
  SELECT base + said.ordinal, said.id, said.type, said.key, said.subject, said_at, said.traceparent, said.data::json
  FROM unnest(ids, types, keys, subjects, traceparents, datas)
    WITH ORDINALITY AS said (id, type, key, subject, traceparent, data, ordinal);
  RETURN base;
END $$;
