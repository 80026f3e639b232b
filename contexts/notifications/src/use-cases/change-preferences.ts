import type { Instant } from '@provender/kernel';
import type { Tx } from '@provender/platform';
import { changedPreferences, type Preferences, type PreferencesChange } from '../domain/preferences.ts';
import { lockPreferences, savePreferences } from '../store/preferences.ts';

/** Changes what somebody wants to hear of, and says so. Gives what they want then. */
export async function changePreferences(
  tx: Tx,
  userId: string,
  change: PreferencesChange,
  now: Instant,
): Promise<Preferences> {
  const preferences = changedPreferences(await lockPreferences(tx, userId), change);
  await savePreferences(tx, userId, preferences, now);
  const data = { userId, email: [...preferences.email], webhook: [...preferences.webhook] };
  tx.append([{ type: 'notifications.preferences-changed.v1', key: userId, subject: userId, data }]);
  return preferences;
}
