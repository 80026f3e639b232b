-- Accounts. A customer's has the user's id; a site has one each of sales, cash and card per currency; `deposits` is the
-- outside world that money comes from. A positive balance is what the bank owes to the account, so the drawer `cash`
-- and `card` go below zero as money comes in, and all balances together are zero.
CREATE TABLE bank.accounts (
  id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('customer', 'sales', 'cash', 'card', 'deposits')),
  site_id uuid,
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  -- The least that may be available. Generated, so that nobody can write an account a credit.
  floor bigint GENERATED ALWAYS AS (CASE WHEN kind = 'customer' THEN 0 END) STORED,
  balance bigint NOT NULL DEFAULT 0,
  -- The sum of the open holds. Only the trigger on holds writes it.
  held bigint NOT NULL DEFAULT 0 CHECK (held >= 0),
  -- The number of the account's newest entry: its entries are numbered from 1 without a gap.
  last_entry bigint NOT NULL DEFAULT 0,
  opened_at timestamptz NOT NULL,
  CONSTRAINT available_at_least_floor CHECK (balance - held >= floor),
  -- Figures stay exact in every language that reads them.
  CONSTRAINT balance_is_exact CHECK (balance BETWEEN -9007199254740991 AND 9007199254740991),
  CONSTRAINT sites_have_site_accounts CHECK ((site_id IS NOT NULL) = (kind IN ('sales', 'cash', 'card')))
) WITH (
  -- The hottest rows of the bank: room for HOT updates on the page, and vacuum long before the default.
  fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500
);

CREATE UNIQUE INDEX one_account_per_place ON bank.accounts (site_id, kind, currency) NULLS NOT DISTINCT
  WHERE kind <> 'customer';

-- One movement of money from one account to another.
CREATE TABLE bank.transactions (
  id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('deposit', 'capture', 'refund')),
  order_id uuid,
  site_id uuid,
  tender text CHECK (tender IN ('cash', 'card', 'account')),
  from_account uuid NOT NULL,
  to_account uuid NOT NULL,
  amount bigint NOT NULL CHECK (amount >= 0),
  currency text NOT NULL,
  hold_id uuid,
  at timestamptz NOT NULL,
  CHECK (from_account <> to_account),
  CHECK ((kind = 'deposit') = (order_id IS NULL)),
  CHECK ((kind = 'deposit') = (site_id IS NULL)),
  CHECK ((kind = 'deposit') = (tender IS NULL)),
  CHECK (hold_id IS NULL OR kind = 'capture')
);

CREATE UNIQUE INDEX one_capture_per_order ON bank.transactions (order_id) WHERE kind = 'capture';
CREATE UNIQUE INDEX one_refund_per_order ON bank.transactions (order_id) WHERE kind = 'refund';
CREATE UNIQUE INDEX one_capture_per_hold ON bank.transactions (hold_id) WHERE hold_id IS NOT NULL;
-- Takings of a stretch of time. The table grows in order of time: a block range index serves and costs nothing to keep.
CREATE INDEX transactions_by_time ON bank.transactions USING brin (at)
  WITH (pages_per_range = 32, autosummarize = on);

-- The ledger: two rows per transaction, never changed. The key is the order in which they took effect on the account;
-- it serves the statement too. No foreign keys: post() is the only writer, and their triggers cost more than the rows.
CREATE TABLE bank.entries (
  account_id uuid NOT NULL,
  number bigint NOT NULL,
  transaction_id uuid NOT NULL,
  amount bigint NOT NULL,
  balance_after bigint NOT NULL,
  PRIMARY KEY (account_id, number)
);

-- Money set aside on an account: open, then captured or released, once.
CREATE TABLE bank.holds (
  id uuid PRIMARY KEY,
  account_id uuid NOT NULL REFERENCES bank.accounts,
  order_id uuid NOT NULL,
  site_id uuid NOT NULL,
  amount bigint NOT NULL CHECK (amount >= 0),
  authorised_at timestamptz NOT NULL,
  captured_by uuid,
  released_at timestamptz,
  CONSTRAINT closes_once CHECK (num_nonnulls(captured_by, released_at) <= 1)
);

CREATE UNIQUE INDEX one_open_hold_per_order ON bank.holds (order_id) WHERE captured_by IS NULL AND released_at IS NULL;

-- The ledger is immutable for everybody, its owner included.
CREATE FUNCTION bank.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% of % is refused: it never changes once written', tg_op, tg_table_name USING ERRCODE = 'PV100';
END $$;

CREATE TRIGGER entries_are_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON bank.entries
  EXECUTE FUNCTION bank.refuse_change();
CREATE TRIGGER transactions_are_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON bank.transactions
  EXECUTE FUNCTION bank.refuse_change();
CREATE TRIGGER closed_holds_stay_closed BEFORE UPDATE ON bank.holds FOR EACH ROW
  WHEN (old.captured_by IS NOT NULL OR old.released_at IS NOT NULL) EXECUTE FUNCTION bank.refuse_change();
CREATE TRIGGER holds_are_kept BEFORE DELETE OR TRUNCATE ON bank.holds EXECUTE FUNCTION bank.refuse_change();

-- What is held follows from the holds and from nothing else.
CREATE FUNCTION bank.hold_opened() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = bank, pg_temp AS $$
BEGIN
  UPDATE accounts SET held = held + opened.amount
  FROM (SELECT account_id, sum(amount)::bigint AS amount FROM changed GROUP BY account_id) AS opened
  WHERE accounts.id = opened.account_id;
  RETURN NULL;
END $$;

CREATE FUNCTION bank.hold_closed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = bank, pg_temp AS $$
BEGIN
  UPDATE accounts SET held = held - closed.amount
  FROM (
    SELECT account_id, sum(amount)::bigint AS amount FROM changed
    WHERE captured_by IS NOT NULL OR released_at IS NOT NULL GROUP BY account_id
  ) AS closed
  WHERE accounts.id = closed.account_id;
  RETURN NULL;
END $$;

CREATE TRIGGER holds_open AFTER INSERT ON bank.holds REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION bank.hold_opened();
CREATE TRIGGER holds_close AFTER UPDATE ON bank.holds REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION bank.hold_closed();

-- The only way to move money. Takes parallel arrays, a place per transaction, in the order in which they take effect;
-- each moves an amount from one account to another, so none can be out of balance. The caller has locked the accounts
-- in id order. A refund must give back a whole capture the way it came; a capture of a hold must be of that hold.
CREATE FUNCTION bank.post(
  ids uuid[], kinds text[], order_ids uuid[], site_ids uuid[], tenders text[],
  from_accounts uuid[], to_accounts uuid[], amounts bigint[], currencies text[], hold_ids uuid[], posted_at timestamptz
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = bank, pg_temp AS $$
DECLARE
  written bigint;
BEGIN
  IF 'refund' = ANY (kinds) AND EXISTS (
    SELECT FROM unnest(kinds, order_ids, from_accounts, to_accounts, amounts)
      AS refund (kind, order_id, from_account, to_account, amount)
    WHERE refund.kind = 'refund' AND NOT EXISTS (
      SELECT FROM transactions AS capture
      WHERE capture.kind = 'capture' AND capture.order_id = refund.order_id AND capture.amount = refund.amount
        AND capture.from_account = refund.to_account AND capture.to_account = refund.from_account
    )
  ) THEN
    RAISE EXCEPTION 'A refund does not give back what was captured' USING ERRCODE = 'PV101';
  END IF;

  IF array_remove(hold_ids, NULL) <> '{}' THEN
    UPDATE holds SET captured_by = capture.id
    FROM unnest(ids, hold_ids, order_ids, from_accounts, amounts)
      AS capture (id, hold_id, order_id, from_account, amount)
    WHERE holds.id = capture.hold_id AND holds.captured_by IS NULL AND holds.released_at IS NULL
      AND holds.account_id = capture.from_account AND holds.order_id = capture.order_id
      AND holds.amount = capture.amount;
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written <> cardinality(array_remove(hold_ids, NULL)) THEN
      RAISE EXCEPTION 'A hold is not open, or not for this capture' USING ERRCODE = 'PV102';
    END IF;
  END IF;

  INSERT INTO transactions
    (id, kind, order_id, site_id, tender, from_account, to_account, amount, currency, hold_id, at)
  SELECT posted.*, posted_at
  FROM unnest(ids, kinds, order_ids, site_ids, tenders, from_accounts, to_accounts, amounts, currencies, hold_ids)
    AS posted;

  WITH legs AS MATERIALIZED (
    SELECT leg.account_id, leg.amount, posted.id AS transaction_id, posted.currency,
      row_number() OVER leg_order AS nth, sum(leg.amount) OVER leg_order AS running
    FROM unnest(ids, from_accounts, to_accounts, amounts, currencies)
      WITH ORDINALITY AS posted (id, from_account, to_account, amount, currency, place)
    CROSS JOIN LATERAL (VALUES (posted.from_account, -posted.amount), (posted.to_account, posted.amount))
      AS leg (account_id, amount)
    WINDOW leg_order AS (PARTITION BY leg.account_id ORDER BY posted.place)
  ), moved AS (
    -- One update per account and set. A row per purchase here, on the site's takings, halved the throughput.
    UPDATE accounts SET balance = balance + total.amount, last_entry = last_entry + total.entries
    FROM (
      SELECT account_id, currency, sum(amount)::bigint AS amount, count(*) AS entries FROM legs GROUP BY 1, 2
    ) AS total
    WHERE accounts.id = total.account_id AND accounts.currency = total.currency
    RETURNING accounts.id, balance - total.amount AS balance_before, last_entry - total.entries AS entries_before
  )
  INSERT INTO entries (account_id, number, transaction_id, amount, balance_after)
  SELECT legs.account_id, entries_before + nth, transaction_id, amount, balance_before + running
  FROM legs JOIN moved ON moved.id = legs.account_id;
  GET DIAGNOSTICS written = ROW_COUNT;
  IF written <> 2 * cardinality(ids) THEN
    RAISE EXCEPTION 'An account is unknown or of another currency' USING ERRCODE = 'PV103';
  END IF;
END $$;

REVOKE ALL ON FUNCTION bank.post, bank.refuse_change, bank.hold_opened, bank.hold_closed FROM PUBLIC;

-- No right to insert, change or delete a ledger row, nor to write a balance. The update of opened_at is granted for its
-- row lock only: PostgreSQL locks rows for those alone who may change some column of them.
GRANT SELECT ON bank.accounts, bank.transactions, bank.entries, bank.holds TO provender_bank;
GRANT INSERT (id, kind, site_id, currency, opened_at) ON bank.accounts TO provender_bank;
GRANT UPDATE (opened_at) ON bank.accounts TO provender_bank;
GRANT INSERT (id, account_id, order_id, site_id, amount, authorised_at), UPDATE (released_at) ON bank.holds
  TO provender_bank;
GRANT EXECUTE ON FUNCTION bank.post TO provender_bank;
