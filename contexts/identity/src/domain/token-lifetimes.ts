import { DAY, MINUTE } from '@provender/kernel';

/** Short, since a token that is out cannot be called back: where no event comes, it is good for so long. Wall time. */
export const ACCESS_TOKEN_LIFETIME = 15 * MINUTE;

/** Each refresh gives a new refresh token with a life of its own … */
export const REFRESH_TOKEN_LIFETIME = 14 * DAY;

/** … but the family ends so long after the password was given, however often it was refreshed. */
export const GRANT_LIFETIME = 90 * DAY;
