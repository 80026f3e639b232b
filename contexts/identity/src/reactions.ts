import { reactInOneGo, type Reactions } from '@provender/platform';
import { PROFILE_EVENTS } from './domain/profile.ts';
import { growProfiles } from './use-cases/grow-profiles.ts';

/** Identity hears what every context, itself too, says about users: their profiles are made of it. */
export function reactions(): Reactions {
  return reactInOneGo(PROFILE_EVENTS, (events, tx) => growProfiles(tx, events));
}
