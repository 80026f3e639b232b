import type { Instant, Result } from '@provender/kernel';
import type { ContextModule, ContextPlatform, OpenContext, Tx } from '@provender/platform';
import type { JWK } from 'jose';
import { authorizationServer } from './authorization-server/provider.ts';
import type { ClientRefusal } from './domain/client.ts';
import type { RolesRefusal, User } from './domain/user.ts';
import { addressOf, type OAuthExchange, oauthExchange } from './authorization-server/exchange.ts';
import { PROFILE_SOURCES } from './domain/profile.ts';
import { reactions } from './reactions.ts';
import { FORGET_PROFILES } from './store/profiles.ts';
import { oauthRoutes } from './routes/oauth.ts';
import { hashQueue } from './password-hash.ts';
import { userRoutes } from './routes/users.ts';
import { ensureSigningKey, privateKeys, publicKeys } from './signing-keys.ts';
import { addPeople, hashForPeople, type Person } from './use-cases/add-people.ts';
import { promote } from './use-cases/promote.ts';
import {
  type ClientCredentials,
  type CreateClientRefusal,
  createClient,
  type NewClientWish,
  revokeClient,
  rotateClientSecret,
} from './use-cases/manage-clients.ts';
import { ensurePurge, purgeJobs } from './use-cases/purge-ended.ts';

/** Profiles, for `consumeAnew`: of whose events they are made, and what forgets them. */
export const madeProfiles = { sources: PROFILE_SOURCES, forget: FORGET_PROFILES } as const;

/** What identity offers to the composition beside its routes. */
export type OpenIdentity = OpenContext & {
  /** The public keys of access tokens, for a verifier in the same process. */
  jwks(): Promise<{ keys: JWK[] }>;
  /** Adds people without asking the rule for passwords, for the demo; gives them all, also who was there already. */
  addPeople(people: readonly Person[], password: string): Promise<User[]>;
  /** Makes somebody who has registered a manager. Refuses for an unknown address. */
  promote(email: string): Promise<Result<User, RolesRefusal>>;
  createClient(tx: Tx, wish: NewClientWish, now: Instant): Promise<Result<ClientCredentials, CreateClientRefusal>>;
  rotateClientSecret(tx: Tx, clientId: string, now: Instant): Promise<Result<ClientCredentials, ClientRefusal>>;
  revokeClient(tx: Tx, clientId: string, now: Instant): Promise<Result<undefined, ClientRefusal>>;
};

/** Between two sets of events: a profile is so much later, and a purchase pays the less for it. */
const PROFILE_REST_MILLISECONDS = 250;

export const identity: ContextModule<OpenIdentity> = {
  context: 'identity',
  migrations: new URL('../migrations/', import.meta.url),
  open,
};

function open({ db, ids, clock, settings, publicUrl }: ContextPlatform): OpenIdentity {
  const hashes = hashQueue();
  let opened: Promise<OAuthExchange> | undefined;

  async function openExchange(): Promise<OAuthExchange> {
    const keys = await privateKeys(db);
    const issuer = publicUrl();
    return oauthExchange(authorizationServer({ db, hashes, backsOff: settings.rateLimit, issuer, keys, addressOf }));
  }

  /** Opened once; a failure is not remembered, the next request tries again. */
  function exchange(): Promise<OAuthExchange> {
    opened ??= openExchange().catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  }

  return {
    async prepare(tx) {
      await ensureSigningKey(tx, ids.next(), clock.now());
      await ensurePurge(tx, clock.now());
    },
    routes(app) {
      userRoutes(app, { db, ids, hashes });
      oauthRoutes(app, exchange);
    },
    jobs: purgeJobs,
    reactions: reactions(),
    restMilliseconds: PROFILE_REST_MILLISECONDS,
    jwks: async () => ({ keys: await publicKeys(db) }),
    async addPeople(people, password) {
      const passwordHash = await hashForPeople(password);
      return db.withTx((tx) => addPeople(tx, ids, people, passwordHash, clock.now()));
    },
    promote: (email) => db.withTx((tx) => promote(tx, email)),
    createClient: (tx, wish, now) => createClient(tx, ids, wish, now),
    rotateClientSecret,
    revokeClient,
  };
}
