import { timingSafeEqual } from 'node:crypto';
import { ACCESS_TOKEN_AUDIENCE, API_SCOPE } from '@provender/contracts';
import type { JWK } from 'jose';
import {
  type AccessToken,
  type ClientCredentials,
  type Configuration,
  type JWKS,
  type JWTStructured,
  type KoaContextWithOIDC,
  Provider,
} from 'oidc-provider';
import { artifactStore, CLIENT_EXTRAS, type ClientExtras } from './artifacts.ts';
import { ACCESS_TOKEN_LIFETIME, GRANT_LIFETIME, REFRESH_TOKEN_LIFETIME } from '../domain/token-lifetimes.ts';
import { accountOf, type AddressOf, addPasswordGrant, type UserAccount } from './password-grant.ts';
import { inSeconds, RESOURCE_SERVER } from './resource-server.ts';
import { SIGNING_ALGORITHM } from '../signing-keys.ts';
import { userById } from '../store.ts';
import { hashSecret } from '../use-cases/manage-clients.ts';
import type { SignInPlace } from '../use-cases/sign-in.ts';

/** Where what of the authorization server is found; the routes and the library share this table. */
export const OAUTH_PATHS = {
  token: '/api/oauth/token',
  revocation: '/api/oauth/revoke',
  jwks: '/.well-known/jwks.json',
  metadata: '/.well-known/oauth-authorization-server',
} as const;

export type AuthorizationServerOptions = SignInPlace & {
  readonly issuer: string;
  readonly keys: readonly JWK[];
  readonly addressOf: AddressOf;
};

/**
 * The certified library, told our rules: access tokens are JWTs for our one resource, refresh tokens rotate, roles are
 * those of this very moment, secrets of clients are kept as hashes. Why a library: docs/decisions.
 */
export function authorizationServer(options: AuthorizationServerOptions): Provider {
  const provider = new Provider(options.issuer, configurationOf(options));
  addPasswordGrant(provider, options, options.addressOf);
  // The library compares plain secrets; ours are stored as hashes only.
  provider.Client.prototype.compareClientSecret = function compare(actual: string) {
    return timingSafeEqual(Buffer.from(this.clientSecret ?? '', 'base64url'), hashSecret(actual));
  };
  provider.use(hideWhatIsNotThere);
  return provider;
}

/** Members of the metadata that belong to the sign-in pages, which come later, and to identity tokens, which do not. */
const MEMBERS_OF_PAGES = [
  'authorization_endpoint',
  'authorization_response_iss_parameter_supported',
  'claim_types_supported',
  'claims_parameter_supported',
  'claims_supported',
  'code_challenge_methods_supported',
  'id_token_signing_alg_values_supported',
  'request_uri_parameter_supported',
  'response_modes_supported',
  'subject_types_supported',
] as const;

const CLIENT_AUTH_METHODS = ['none', 'client_secret_basic', 'client_secret_post'] as const;

async function hideWhatIsNotThere(ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
  await next();
  const { body } = ctx;
  if (ctx.path !== OAUTH_PATHS.metadata || typeof body !== 'object' || body === null) return;
  for (const member of MEMBERS_OF_PAGES) Reflect.deleteProperty(body, member);
  Object.assign(body, {
    scopes_supported: [API_SCOPE],
    revocation_endpoint_auth_methods_supported: CLIENT_AUTH_METHODS,
  });
}

function configurationOf({ db, keys }: AuthorizationServerOptions): Configuration {
  return {
    adapter: artifactStore(db),
    jwks: { keys: keys as JWKS['keys'] },
    routes: { token: OAUTH_PATHS.token, revocation: OAUTH_PATHS.revocation, jwks: OAUTH_PATHS.jwks },
    clientDefaults: { id_token_signed_response_alg: SIGNING_ALGORITHM },
    clientAuthMethods: [...CLIENT_AUTH_METHODS],
    extraClientMetadata: { properties: [...CLIENT_EXTRAS] },
    scopes: [API_SCOPE],
    // Pages that sign in by themselves come later; until then nothing is offered that is not there.
    responseTypes: [],
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    ttl: {
      AccessToken: inSeconds(ACCESS_TOKEN_LIFETIME),
      ClientCredentials: inSeconds(ACCESS_TOKEN_LIFETIME),
      RefreshToken: inSeconds(REFRESH_TOKEN_LIFETIME),
      Grant: inSeconds(GRANT_LIFETIME),
    },
    features: {
      clientCredentials: { enabled: true },
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => ACCESS_TOKEN_AUDIENCE,
        useGrantedResource: () => true,
        getResourceServerInfo: () => RESOURCE_SERVER,
      },
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
    },
    async findAccount(_ctx, id) {
      const user = await userById(db, id);
      return user === undefined ? undefined : accountOf(user);
    },
    extraTokenClaims: (ctx) => ({ roles: rolesOf(ctx) }),
    formats: { customizers: { jwt: setSubject } },
  };
}

/** A person speaks for themself, by the roles that were just read; a client by its own. */
function rolesOf(ctx: KoaContextWithOIDC): readonly unknown[] {
  const account = ctx.oidc.account;
  if (account !== undefined && 'user' in account) return (account as UserAccount).user.roles;
  return extrasOf(ctx).roles;
}

/** What a client's tokens speak for: a machine has an id of its own, which is not the id of its credentials. */
function setSubject(ctx: KoaContextWithOIDC, token: AccessToken | ClientCredentials, jwt: JWTStructured): void {
  if (token.kind === 'ClientCredentials') jwt.payload['sub'] = extrasOf(ctx).subject;
}

function extrasOf({ oidc: { client } }: KoaContextWithOIDC): ClientExtras {
  const { subject, roles } = client === undefined ? NOBODY : client;
  if (typeof subject !== 'string' || !Array.isArray(roles)) throw new Error('The client has no subject or no roles');
  return { subject, roles };
}

const NOBODY: { readonly subject?: unknown; readonly roles?: unknown } = {};
