import { formatInstant, type Instant } from '@provender/kernel';
import { type Query, statement } from '@provender/platform';
import { type Preferences, USUAL } from '../domain/preferences.ts';
import { preferencesFromRow } from './copies.ts';

const PREFERENCES = statement(
  'preferences',
  `SELECT email AS "byEmail", webhook AS "byWebhook", waste_limit AS "wasteLimit", waste_currency AS "wasteCurrency"
   FROM preferences WHERE user_id = $1`,
);
const SAVE_PREFERENCES = statement(
  'save-preferences',
  `INSERT INTO preferences (user_id, email, webhook, waste_limit, waste_currency, changed_at)
   VALUES ($1, $2, $3, $4, $5, $6)
   ON CONFLICT (user_id) DO UPDATE SET email = excluded.email, webhook = excluded.webhook,
     waste_limit = excluded.waste_limit, waste_currency = excluded.waste_currency, changed_at = excluded.changed_at`,
);
const LOCK_PREFERENCES = statement(
  'lock-preferences',
  "SELECT pg_advisory_xact_lock(hashtext('provender preferences'), hashtext($1))",
);

/** What somebody wants to hear of; the usual, where they have chosen nothing. */
export async function readPreferences(query: Query, userId: string): Promise<Preferences> {
  const [row] = await query.query<Parameters<typeof preferencesFromRow>[0]>(PREFERENCES, [userId]);
  return row === undefined ? USUAL : preferencesFromRow(row);
}

/** Two changes of one person wait for each other, also where there is no row yet that could be locked. */
export async function lockPreferences(tx: Query, userId: string): Promise<Preferences> {
  await tx.query(LOCK_PREFERENCES, [userId]);
  return readPreferences(tx, userId);
}

export async function savePreferences(
  tx: Query,
  userId: string,
  { email, webhook, wasteLimit }: Preferences,
  at: Instant,
): Promise<void> {
  const limit = [wasteLimit?.amount ?? null, wasteLimit?.currency ?? null];
  await tx.query(SAVE_PREFERENCES, [userId, email, webhook, ...limit, formatInstant(at)]);
}
