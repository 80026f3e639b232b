import { ACCESS_TOKEN_AUDIENCE, API_SCOPE } from '@provender/contracts';
import { type Milliseconds, SECOND } from '@provender/kernel';
import { type Account, errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider';
import type { User } from '../domain/user.ts';
import { RESOURCE_SERVER } from './resource-server.ts';
import { signIn, type SignInPlace, type SignInRefusal } from '../use-cases/sign-in.ts';

export const PASSWORD_GRANT = 'password';

/** How long to stay away when too much work waits. */
const BUSY_RETRY_AFTER: Milliseconds = 2 * SECOND;

/** Who is at the other end, for counting failed attempts; the HTTP layer knows behind which proxies we stand. */
export type AddressOf = (ctx: KoaContextWithOIDC) => string;

/** A user as the authorization server knows it, with the roles that go into its tokens. */
export type UserAccount = Account & { readonly user: User };

export function accountOf(user: User): UserAccount {
  return { accountId: user.id, user, claims: async () => ({ sub: user.id }) };
}

/**
 * Adds the grant `password` of RFC 6749 §4.3, for our own clients only: OAuth 2.1 has dropped it since it shows the
 * password to the client, and here the client is us. It opens a grant, whose refresh tokens are one family.
 */
export function addPasswordGrant(provider: Provider, place: SignInPlace, addressOf: AddressOf): void {
  async function handle(ctx: KoaContextWithOIDC): Promise<void> {
    const { username, password, scope } = ctx.oidc.params ?? {};
    if (typeof username !== 'string') throw new errors.InvalidRequest("missing required parameter 'username'");
    if (typeof password !== 'string') throw new errors.InvalidRequest("missing required parameter 'password'");
    if (typeof scope === 'string' && !scope.split(' ').includes(API_SCOPE)) {
      throw new errors.InvalidScope(`the scope '${API_SCOPE}' is the one that can be granted`, scope);
    }
    const signedIn = await signIn(place, { username, password, address: addressOf(ctx) });
    if (!signedIn.ok) throw oauthError(ctx, signedIn.refusal);
    ctx.body = await issueTokens(provider, ctx, signedIn.value);
  }
  provider.registerGrantType(PASSWORD_GRANT, handle, ['username', 'password', 'scope']);
}

function oauthError(ctx: KoaContextWithOIDC, refusal: SignInRefusal): Error {
  if (refusal.kind === 'wrong-credentials') return new errors.InvalidGrant('wrong e-mail address or password');
  const isBusy = refusal.kind === 'busy';
  const retryAfter = isBusy ? BUSY_RETRY_AFTER : refusal.retryAfter;
  ctx.set('retry-after', `${Math.ceil(retryAfter / SECOND)}`);
  const detail = isBusy
    ? 'too many sign-ins at once, try again in a moment'
    : 'too many failed attempts, try again later';
  const error = new errors.CustomOIDCProviderError('temporarily_unavailable', detail);
  const status = isBusy ? 503 : 429;
  return Object.assign(error, { status, statusCode: status });
}

async function issueTokens(provider: Provider, ctx: KoaContextWithOIDC, user: User) {
  const { client } = ctx.oidc;
  if (client === undefined) throw new Error('The authorization server has checked no client');
  const { Grant, AccessToken, RefreshToken } = provider;
  ctx.oidc.entity('Account', accountOf(user));
  const grant = new Grant({ accountId: user.id, clientId: client.clientId });
  grant.addResourceScope(ACCESS_TOKEN_AUDIENCE, API_SCOPE);
  const grantId = await grant.save();
  const shared = { accountId: user.id, client, grantId, gty: PASSWORD_GRANT, scope: API_SCOPE };
  const accessToken = new AccessToken(shared);
  accessToken.resourceServer = new provider.ResourceServer(ACCESS_TOKEN_AUDIENCE, RESOURCE_SERVER);
  const refreshToken = new RefreshToken({ ...shared, resource: ACCESS_TOKEN_AUDIENCE });
  return {
    access_token: await accessToken.save(),
    token_type: 'Bearer',
    expires_in: accessToken.expiration,
    refresh_token: await refreshToken.save(),
    scope: API_SCOPE,
  };
}
