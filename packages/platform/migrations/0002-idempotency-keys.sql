-- Run once in the schema of every context, with search_path set to it.

-- The first answer to a request with an Idempotency-Key, written in the transaction of the request's effect.
-- The scope is caller, method and route; the answer's body is plain, or sealed where it holds a secret.
CREATE TABLE idempotency_keys (
  scope text NOT NULL CHECK (length(scope) <= 500),
  key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
  request_hash bytea NOT NULL CHECK (length(request_hash) = 32),
  status smallint NOT NULL CHECK (status BETWEEN 200 AND 499),
  body text,
  sealed_body bytea,
  headers json NOT NULL,
  -- Wall time: a business clock that runs fast must not shorten the day for which an answer is kept.
  kept_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (scope, key),
  CHECK ((body IS NULL) <> (sealed_body IS NULL))
);

-- For the purge, oldest first.
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (kept_at);
