-- Copies of what others have said, which is all that notifications knows: people, sites, products, orders, shelves.

CREATE TABLE notifications.people (
  id uuid PRIMARY KEY,
  email text NOT NULL,
  name text NOT NULL,
  roles text[] NOT NULL
);
-- The few who may hear of the sites are read with every event that concerns a site.
CREATE INDEX people_of_the_house ON notifications.people (id) WHERE roles && ARRAY['staff', 'manager'];

CREATE TABLE notifications.sites (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  time_zone text NOT NULL,
  currency text NOT NULL
);

CREATE TABLE notifications.products (
  id uuid PRIMARY KEY,
  name text NOT NULL
);

-- Orders of customers only: of the others nobody is told by mail. Kept for as long as anything may still happen to one.
CREATE TABLE notifications.orders (
  id uuid PRIMARY KEY,
  site_id uuid NOT NULL,
  customer_id uuid NOT NULL,
  lines json NOT NULL,
  total bigint NOT NULL,
  currency text NOT NULL,
  placed_at timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02);
-- For the purge, oldest first.
CREATE INDEX orders_by_age ON notifications.orders (placed_at);

-- How many are free at a site, to tell when the last one goes.
CREATE TABLE notifications.stock (
  site_id uuid NOT NULL,
  product_id uuid NOT NULL,
  available integer NOT NULL,
  PRIMARY KEY (site_id, product_id)
) WITH (fillfactor = 50);

-- What was thrown out at a site in a day of its own time zone, at cost.
CREATE TABLE notifications.waste_of_days (
  site_id uuid NOT NULL,
  day date NOT NULL,
  cost bigint NOT NULL,
  currency text NOT NULL,
  PRIMARY KEY (site_id, day)
) WITH (fillfactor = 50);

-- What somebody wants to hear of. Who has no row hears of the usual (domain/preferences.ts).
CREATE TABLE notifications.preferences (
  user_id uuid PRIMARY KEY,
  email text[] NOT NULL,
  webhook text[] NOT NULL,
  waste_limit bigint CHECK (waste_limit > 0),
  waste_currency text,
  changed_at timestamptz NOT NULL,
  CHECK ((waste_limit IS NULL) = (waste_currency IS NULL))
);

CREATE TABLE notifications.webhooks (
  id uuid PRIMARY KEY,
  owner_id uuid NOT NULL,
  url text NOT NULL,
  kinds text[] NOT NULL CHECK (cardinality(kinds) > 0),
  description text,
  created_at timestamptz NOT NULL,
  disabled_reason text,
  -- Wall time of the first failure since it last took a message.
  failing_since timestamptz,
  removed_at timestamptz
);
CREATE INDEX webhooks_there ON notifications.webhooks (id) WHERE removed_at IS NULL;

-- Apart from the webhooks, and hidden from every other role, the auditor's too, which is granted to read all tables.
CREATE TABLE notifications.webhook_secrets (
  webhook_id uuid PRIMARY KEY REFERENCES notifications.webhooks (id),
  secret bytea NOT NULL CHECK (length(secret) BETWEEN 24 AND 64)
);
ALTER TABLE notifications.webhook_secrets ENABLE ROW LEVEL SECURITY;
CREATE POLICY notifications_only ON notifications.webhook_secrets TO provender_notifications USING (true);

-- What there is to tell of one event, for whoever wants to hear of it. Only of events that somebody wants to hear of.
CREATE TABLE notifications.notices (
  event_id uuid PRIMARY KEY,
  kind text NOT NULL,
  type text NOT NULL,
  source text NOT NULL,
  key text NOT NULL,
  subject text NOT NULL,
  event_at timestamptz NOT NULL,
  data json NOT NULL
);

-- One event on its way to one address.
CREATE TABLE notifications.messages (
  id uuid PRIMARY KEY,
  event_id uuid NOT NULL REFERENCES notifications.notices (event_id),
  channel text NOT NULL CHECK (channel IN ('email', 'webhook', 'redis')),
  address text NOT NULL,
  -- Messages of one lane go through one door: the mail server, Redis, one webhook.
  lane text NOT NULL,
  user_id uuid,
  order_id uuid,
  event_at timestamptz NOT NULL,
  -- `held`: its webhook is disabled.
  status text NOT NULL CHECK (status IN ('waiting', 'delivered', 'failed', 'held')),
  tries integer NOT NULL DEFAULT 0,
  -- Of the tries, those before it was last replayed, or released: they do not count towards giving it up.
  forgiven integer NOT NULL DEFAULT 0,
  replays integer NOT NULL DEFAULT 0,
  -- Wall time: when it is to be tried. While somebody tries it, when another one may.
  next_at timestamptz NOT NULL DEFAULT now(),
  -- One event goes to one address once, whoever says it twice.
  UNIQUE (event_id, channel, address)
) WITH (fillfactor = 80);
-- What each lane has to send, the oldest first; rows leave the index once they are sent.
CREATE INDEX messages_waiting ON notifications.messages (lane, next_at) WHERE status = 'waiting';
CREATE INDEX messages_of_lane ON notifications.messages (lane, event_at, id);
CREATE INDEX messages_newest ON notifications.messages (event_at DESC, id DESC);
CREATE INDEX messages_of_order ON notifications.messages (order_id, event_at DESC) WHERE order_id IS NOT NULL;

-- Every attempt, for ever on record.
CREATE TABLE notifications.attempts (
  message_id uuid NOT NULL REFERENCES notifications.messages (id),
  number integer NOT NULL,
  -- Wall time.
  at timestamptz NOT NULL DEFAULT now(),
  ok boolean NOT NULL,
  detail text NOT NULL CHECK (length(detail) <= 500),
  milliseconds integer NOT NULL,
  PRIMARY KEY (message_id, number)
);

-- Mail that would have gone out, where no mail server is set.
CREATE TABLE notifications.mailbox (
  id uuid PRIMARY KEY,
  recipient text NOT NULL,
  sender text NOT NULL,
  subject text NOT NULL,
  text text NOT NULL,
  html text NOT NULL,
  sent_at timestamptz NOT NULL
);
CREATE INDEX mailbox_newest ON notifications.mailbox (sent_at DESC, id DESC);
CREATE INDEX mailbox_of_recipient ON notifications.mailbox (recipient, sent_at DESC, id DESC);

-- What was said live, a row for each set of events: numbers are gapless and in order of commit, since whoever writes
-- a set holds the head until then. A message's id is the number of its set and its place in there.
CREATE TABLE notifications.live_head (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  number bigint NOT NULL
) WITH (fillfactor = 10);
INSERT INTO notifications.live_head (number) VALUES (0);
CREATE TABLE notifications.live_sets (
  number bigint PRIMARY KEY,
  said_at timestamptz NOT NULL,
  messages json NOT NULL
);

GRANT SELECT, INSERT, UPDATE ON notifications.people, notifications.sites, notifications.products,
  notifications.stock, notifications.preferences, notifications.webhooks, notifications.messages,
  notifications.live_head TO provender_notifications;
GRANT SELECT, INSERT, UPDATE, DELETE ON notifications.orders, notifications.waste_of_days TO provender_notifications;
GRANT SELECT, INSERT ON notifications.webhook_secrets, notifications.notices, notifications.attempts
  TO provender_notifications;
GRANT SELECT, INSERT, DELETE ON notifications.mailbox, notifications.live_sets TO provender_notifications;
