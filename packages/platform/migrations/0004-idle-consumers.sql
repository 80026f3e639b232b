-- Run once in the schema of every context, with search_path set to it.

-- Ends the session of the one consumer of this context where it has done nothing for so long, and gives how many
-- sessions it ended. A consumer that lives looks at the logs every second; one whose process was paused, or whose
-- machine has gone, keeps its lock for ever. What it had begun is rolled back, and what it sends later comes from a
-- session that is no more. Its other sessions are ended too where they hold rows: nothing but queries is ever awaited
-- in a transaction. It runs as its owner, since a context's role may not end sessions.
CREATE FUNCTION end_idle_consumer(idle_seconds double precision) RETURNS bigint LANGUAGE sql
SECURITY DEFINER SET search_path FROM CURRENT AS $$
  WITH sessions AS MATERIALIZED (
    SELECT pid, state, application_name, clock_timestamp() - state_change AS idle_for FROM pg_stat_activity
    WHERE datname = current_database() AND state LIKE 'idle%' AND pg_has_role(usesysid, 'USAGE')
  ), consumers AS MATERIALIZED (
    SELECT sessions.pid FROM sessions JOIN pg_locks AS held USING (pid)
    WHERE held.locktype = 'advisory' AND held.objsubid = 2 AND held.granted
      AND held.classid = hashtext('provender reactor')::oid AND held.objid = hashtext(current_schema())::oid
      AND sessions.idle_for > make_interval(secs => idle_seconds)
  ), wanted AS (
    SELECT pid FROM consumers
    UNION
    SELECT pid FROM sessions
    WHERE EXISTS (SELECT FROM consumers) AND state LIKE 'idle in transaction%'
      AND application_name LIKE 'provender ' || current_schema() || ' %'
      AND idle_for > make_interval(secs => idle_seconds / 2)
  )
  SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM wanted
$$;

-- Temporary tables come first in a search path that does not name them.
DO $$ BEGIN
  EXECUTE format('ALTER FUNCTION end_idle_consumer SET search_path = %I, pg_temp', current_schema());
  EXECUTE format('GRANT EXECUTE ON FUNCTION end_idle_consumer TO %I', 'provender_' || current_schema());
END $$;
REVOKE ALL ON FUNCTION end_idle_consumer FROM PUBLIC;
