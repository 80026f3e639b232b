CREATE TABLE identity.users (
  id uuid PRIMARY KEY,
  -- As it was typed, for mails and for showing.
  email text NOT NULL CHECK (length(email) <= 254),
  -- What makes two spellings the same account (domain/email-address.ts).
  email_key text NOT NULL UNIQUE,
  name text NOT NULL,
  roles text[] NOT NULL CHECK (cardinality(roles) > 0 AND roles <@ ARRAY['customer', 'staff', 'manager']),
  registered_at timestamptz NOT NULL
);

-- The few managers are read, and locked, whenever roles change: the last one may not give the role up.
CREATE INDEX managers ON identity.users (id) WHERE 'manager' = ANY (roles);

-- Apart from the users, so that whoever may read users has read no hash.
CREATE TABLE identity.passwords (
  user_id uuid PRIMARY KEY REFERENCES identity.users (id),
  -- PHC string: argon2id with its parameters, so that they can be raised and old hashes still checked.
  hash text NOT NULL CHECK (hash LIKE '$argon2id$%'),
  changed_at timestamptz NOT NULL
);

-- Who gets tokens by an id and a secret of its own: machines, and programs of others.
CREATE TABLE identity.clients (
  id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('machine', 'confidential')),
  -- SHA-256 of 256 random bits: nothing to guess, so nothing to slow down.
  secret_hash bytea NOT NULL CHECK (length(secret_hash) = 32),
  -- Whom its tokens speak for: the machine, or the client itself.
  subject uuid NOT NULL,
  roles text[] NOT NULL CHECK (
    cardinality(roles) > 0 AND roles <@ ARRAY['customer', 'staff', 'manager', 'machine']
    AND (kind = 'machine') = ('machine' = ANY (roles))
  ),
  created_at timestamptz NOT NULL,
  rotated_at timestamptz,
  revoked_at timestamptz
);

-- One machine, one pair of credentials.
CREATE UNIQUE INDEX client_of_machine ON identity.clients (subject) WHERE kind = 'machine' AND revoked_at IS NULL;

-- What access tokens are signed with; everybody else gets the public half by HTTP.
CREATE TABLE identity.signing_keys (
  kid text PRIMARY KEY,
  private_jwk jsonb NOT NULL,
  created_at timestamptz NOT NULL
);

-- One key signs: of two processes that start at once, one writes it and both use it.
CREATE UNIQUE INDEX one_signing_key ON identity.signing_keys ((true));

-- Row security hides both from every other role, the auditor's too, which is granted to read all tables.
ALTER TABLE identity.signing_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE identity.passwords ENABLE ROW LEVEL SECURITY;
CREATE POLICY identity_only ON identity.signing_keys TO provender_identity USING (true);
CREATE POLICY identity_only ON identity.passwords TO provender_identity USING (true);

-- What the authorization server must remember: grants (one per sign-in, the family of its refresh tokens) and refresh
-- tokens, later also sessions and codes. Found by the SHA-256 of what the client holds, which itself is nowhere.
CREATE TABLE identity.artifacts (
  model text NOT NULL,
  id_hash bytea NOT NULL CHECK (length(id_hash) = 32),
  grant_id text,
  payload jsonb NOT NULL,
  consumed_at timestamptz,
  -- Wall time, as all that is about tokens.
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (model, id_hash)
);
CREATE INDEX artifacts_of_grant ON identity.artifacts (grant_id) WHERE grant_id IS NOT NULL;
CREATE INDEX artifacts_by_end ON identity.artifacts (expires_at);

-- Failed sign-ins, by the SHA-256 of what they are counted by. Wall time.
CREATE TABLE identity.sign_in_failures (
  key_hash bytea PRIMARY KEY CHECK (length(key_hash) = 32),
  failures integer NOT NULL CHECK (failures > 0),
  last_failed_at timestamptz NOT NULL
);
CREATE INDEX sign_in_failures_by_age ON identity.sign_in_failures (last_failed_at);

GRANT SELECT, INSERT ON identity.users TO provender_identity;
GRANT UPDATE (roles) ON identity.users TO provender_identity;
GRANT SELECT, INSERT ON identity.passwords TO provender_identity;
GRANT SELECT, INSERT ON identity.clients TO provender_identity;
GRANT UPDATE (secret_hash, rotated_at, revoked_at) ON identity.clients TO provender_identity;
GRANT SELECT, INSERT ON identity.signing_keys TO provender_identity;
GRANT SELECT, INSERT, DELETE ON identity.artifacts TO provender_identity;
GRANT UPDATE (payload, consumed_at, expires_at) ON identity.artifacts TO provender_identity;
GRANT SELECT, INSERT, UPDATE, DELETE ON identity.sign_in_failures TO provender_identity;
