import type { RecordedEvent } from '@provender/contracts';
import type { Tx } from '@provender/platform';
import { EMPTY_PROFILE, grown, userOf } from '../domain/profile.ts';
import { lockProfiles, saveProfiles } from '../store/profiles.ts';

/** Adds a set of events to the profiles that they belong to: each profile is read and written once, however many. */
export async function growProfiles(tx: Tx, events: readonly RecordedEvent[]): Promise<void> {
  const owned = events.flatMap((event) => {
    const userId = userOf(event);
    return userId === undefined ? [] : [{ userId, event }];
  });
  if (owned.length === 0) return;
  const profiles = await lockProfiles(tx, [...new Set(owned.map(({ userId }) => userId))].sort(), EMPTY_PROFILE);
  for (const { userId, event } of owned) profiles.set(userId, grown(profiles.get(userId) ?? EMPTY_PROFILE, event));
  await saveProfiles(tx, profiles);
}
