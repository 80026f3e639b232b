-- The toy context of the platform's own tests: it keeps a line for whatever it hears.
CREATE TABLE catalog.greetings (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  subject text NOT NULL,
  position bigint NOT NULL,
  text text NOT NULL,
  heard_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON catalog.greetings TO provender_catalog;
