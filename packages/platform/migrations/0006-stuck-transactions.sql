-- Run once in the schema of every context, with search_path set to it.

-- Ends the sessions of this context whose process was paused in the middle of a transaction, and gives how many.
-- Nothing but queries is ever awaited in one, so a session that is idle in it for seconds has nobody behind it; the
-- rows that it holds would keep up whoever does its work now (EVENTS=kafka). It runs as its owner, since a context's
-- role may not end sessions.
CREATE FUNCTION end_stuck_transactions(idle_seconds double precision) RETURNS bigint LANGUAGE sql
SECURITY DEFINER SET search_path FROM CURRENT AS $$
  WITH stuck AS MATERIALIZED (
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND state LIKE 'idle in transaction%' AND pg_has_role(usesysid, 'USAGE')
      AND application_name LIKE 'provender ' || current_schema() || ' %'
      AND clock_timestamp() - state_change > make_interval(secs => idle_seconds)
  )
  SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM stuck
$$;

-- Temporary tables come first in a search path that does not name them.
DO $$ BEGIN
  EXECUTE format('ALTER FUNCTION end_stuck_transactions SET search_path = %I, pg_temp', current_schema());
  EXECUTE format('GRANT EXECUTE ON FUNCTION end_stuck_transactions TO %I', 'provender_' || current_schema());
END $$;
REVOKE ALL ON FUNCTION end_stuck_transactions FROM PUBLIC;
