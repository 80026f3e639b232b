-- The toy context of the platform's own tests: it keeps a line for whatever it hears.
CREATE TABLE catalog.greetings (
  ordinal bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  subject text NOT NULL,
  position bigint NOT NULL,
  text text NOT NULL,
  heard_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON catalog.greetings TO provender_catalog;
