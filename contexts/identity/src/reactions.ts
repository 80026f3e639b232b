import { reactInOneGo, type Reactions } from '@provender/platform';
import { PROFILE_EVENTS } from './domain/profile.ts';
import { growProfiles } from './use-cases/grow-profiles.ts';
import { CREDENTIALS_EVENTS, hearCredentials, isOfCredentials } from './use-cases/hear-credentials.ts';

/**
 * Identity hears what every context, itself too, says about users: their profiles are made of it. And what the fleet
 * says of the credentials of machines.
 */
export function reactions(): Reactions {
  return reactInOneGo([...PROFILE_EVENTS, ...CREDENTIALS_EVENTS], async (events, tx) => {
    const credentials = events.filter(isOfCredentials);
    if (credentials.length > 0) await hearCredentials(tx, credentials);
    const ofUsers = events.filter((event) => !isOfCredentials(event));
    if (ofUsers.length > 0) await growProfiles(tx, ofUsers);
  });
}
