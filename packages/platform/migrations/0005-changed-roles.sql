-- Run once in the schema of every context, with search_path set to it.

-- The roles of users as identity has last changed them: older access tokens count for no more than these.
CREATE TABLE changed_roles (
  user_id uuid PRIMARY KEY,
  roles text[] NOT NULL,
  -- Wall time, as that of tokens.
  heard_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX changed_roles_by_age ON changed_roles (heard_at);

DO $$ BEGIN
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON changed_roles TO %I', 'provender_' || current_schema());
END $$;
