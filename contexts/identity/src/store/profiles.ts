import { type Query, statement } from '@provender/platform';
import type { Profile } from '../domain/profile.ts';
import type { User } from '../domain/user.ts';

const BEGIN_PROFILES = statement(
  'begin-profiles',
  `INSERT INTO profiles (user_id, document) SELECT user_id, $2::json FROM unnest($1::uuid[]) AS begun (user_id)
   ORDER BY user_id ON CONFLICT (user_id) DO NOTHING`,
);
const LOCK_PROFILES = statement(
  'lock-profiles',
  'SELECT user_id AS "userId", document FROM profiles WHERE user_id = ANY($1::uuid[]) ORDER BY user_id FOR UPDATE',
);
const SAVE_PROFILES = statement(
  'save-profiles',
  `INSERT INTO profiles (user_id, document)
   SELECT user_id, document::json FROM unnest($1::uuid[], $2::text[]) AS grown (user_id, document) ORDER BY user_id
   ON CONFLICT (user_id) DO UPDATE SET document = excluded.document`,
);
const USER_WITH_PROFILE = statement(
  'user-with-profile',
  `SELECT id, email, name, roles, document FROM users LEFT JOIN profiles ON user_id = id WHERE id = $1`,
);

/**
 * What has grown so far of these profiles, `begun` where nothing has; nobody else grows them until the transaction
 * ends. A row that is not there cannot be locked: so each is made first, and whoever makes it too waits for it.
 */
export async function lockProfiles(
  tx: Query,
  userIds: readonly string[],
  begun: Profile,
): Promise<Map<string, Profile>> {
  await tx.query(BEGIN_PROFILES, [userIds, JSON.stringify(begun)]);
  const rows = await tx.query<{ userId: string; document: Profile }>(LOCK_PROFILES, [userIds]);
  return new Map(rows.map(({ userId, document }) => [userId, document]));
}

export async function saveProfiles(tx: Query, profiles: ReadonlyMap<string, Profile>): Promise<void> {
  const documents = [...profiles.values()].map((profile) => JSON.stringify(profile));
  await tx.query(SAVE_PROFILES, [[...profiles.keys()], documents]);
}

/** A user with what is known of them; no profile yet, where nothing was heard of them. */
export async function userWithProfile(
  query: Query,
  id: string,
): Promise<{ user: User; profile: Profile | undefined } | undefined> {
  const [row] = await query.query<User & { document: Profile | null }>(USER_WITH_PROFILE, [id]);
  if (row === undefined) return undefined;
  const { document, ...user } = row;
  return { user, profile: document ?? undefined };
}

/** Profiles are grown again from the first event on. */
export const FORGET_PROFILES = statement('forget-profiles', 'DELETE FROM profiles');
