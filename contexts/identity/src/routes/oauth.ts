import {
  API_SCOPE,
  FIRST_PARTY_CLIENT_ID,
  OAuthDocument,
  OAuthError,
  RevocationDone,
  RevocationForm,
  TokenAnswer,
  TokenForm,
} from '@provender/contracts';
import type { HttpApp } from '@provender/platform';
import { OAUTH_PATHS } from '../authorization-server/provider.ts';
import type { OAuthAnswer, OAuthExchange } from '../authorization-server/exchange.ts';

/** The first call starts the authorization server: before the server listens, nobody knows the issuer's port. */
export type OpenExchange = () => Promise<OAuthExchange>;

type Form = Readonly<Record<string, unknown>>;

/** The routes of RFC 6749, 7009, 7517 and 8414. What they take and give is the library's. */
export function oauthRoutes(app: HttpApp, exchange: OpenExchange): void {
  app.forms((scope) => {
    scope.setErrorHandler<Failure>((failure, _request, reply) => {
      const status = failure.statusCode ?? 500;
      if (status >= 500) throw failure;
      return reply.code(status).send(oauthError(status));
    });
    for (const { url, summary, form, response } of FORM_ROUTES) {
      const schema = { summary, tags: [app.context], consumes: [FORM], body: form, response };
      scope.post(url, { schema, config: { access: 'anyone' } }, async (request, reply) => {
        const { handle } = await exchange();
        const authorization = clientAuthorization(request.headers.authorization);
        if (isNamelessClient(request.body, authorization)) {
          return reply.code(401).header('cache-control', 'no-store').header('www-authenticate', BASIC).send(NAMELESS);
        }
        const body = formBody(request.body, authorization !== undefined);
        const address = request.callerAddress;
        return send(reply, await handle({ method: 'POST', path: url, body, authorization, address }));
      });
    }
  });
  for (const { url, summary, type } of DOCUMENT_ROUTES) {
    const content = { [type]: { schema: OAuthDocument } };
    const schema = { summary, tags: [app.context], response: { 200: { description: 'Done', content } } };
    app.fastify.get(url, { schema, config: { access: 'anyone' } }, async ({ callerAddress }, reply) => {
      const { handle } = await exchange();
      reply.header('cache-control', DOCUMENT_CACHED);
      const wanted = { method: 'GET', path: url, body: '', authorization: undefined, address: callerAddress } as const;
      return send(reply, await handle(wanted));
    });
  }
}

type Failure = Error & { readonly statusCode?: number };

/** What our server refuses before the library sees it (no form, too long, too often) in the words of RFC 6749. */
function oauthError(status: number): OAuthError {
  if (status === 429) return { error: 'temporarily_unavailable', error_description: 'too many requests' };
  return { error: 'invalid_request', error_description: `the body must be a short form (${FORM})` };
}

/** Keys and addresses change rarely; a verifier that meets an unknown key asks again anyway. */
const DOCUMENT_CACHED = 'public, max-age=300';

const FORM = 'application/x-www-form-urlencoded';

const OAUTH_ERRORS = {
  400: OAuthError,
  401: OAuthError,
  413: OAuthError,
  415: OAuthError,
  429: OAuthError,
  503: OAuthError,
} as const;

const FORM_ROUTES = [
  {
    url: OAUTH_PATHS.token,
    summary: 'Gives tokens (RFC 6749): grant_type password, refresh_token or client_credentials',
    form: TokenForm,
    response: { 200: TokenAnswer, ...OAUTH_ERRORS },
  },
  {
    url: OAUTH_PATHS.revocation,
    summary: 'Ends a refresh token and its family (RFC 7009)',
    form: RevocationForm,
    response: { 200: RevocationDone, ...OAUTH_ERRORS },
  },
] as const;

const DOCUMENT_ROUTES = [
  { url: OAUTH_PATHS.jwks, summary: 'The public keys of access tokens (RFC 7517)', type: 'application/jwk-set+json' },
  {
    url: OAUTH_PATHS.metadata,
    summary: 'What the authorization server offers, and where (RFC 8414)',
    type: 'application/json',
  },
] as const;

const BASIC = 'Basic realm="provender"';

const NAMELESS: OAuthError = {
  error: 'invalid_client',
  error_description: 'client_credentials needs a client that authenticates itself',
};

/** Somebody who asks for tokens of a client, and does not say which: nobody stands in for that client. */
function isNamelessClient(body: unknown, authorization: string | undefined): boolean {
  if (!isForm(body) || body['grant_type'] !== 'client_credentials') return false;
  return authorization === undefined && body['client_id'] === undefined && body['client_assertion'] === undefined;
}

/**
 * The form as it came; who names no client is our own public one. A field sent twice stays two, for the library to
 * refuse.
 */
function formBody(body: unknown, hasAuthorization: boolean): string {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(isForm(body) ? body : {})) {
    for (const one of Array.isArray(value) ? value : [value]) form.append(name, `${one}`);
  }
  const namesClient = form.has('client_id') || form.has('client_assertion') || hasAuthorization;
  if (!namesClient) form.set('client_id', FIRST_PARTY_CLIENT_ID);
  if (form.get('grant_type') === 'client_credentials' && !form.has('scope')) form.set('scope', API_SCOPE);
  return form.toString();
}

/** A client's id and secret. A bearer token, which some programs send with everything, is none of them. */
function clientAuthorization(header: string | undefined): string | undefined {
  return header !== undefined && /^basic\b/i.test(header) ? header : undefined;
}

function isForm(body: unknown): body is Form {
  return typeof body === 'object' && body !== null;
}

type Reply = {
  code(status: number): Reply;
  header(name: string, value: string | string[]): Reply;
  send(body: string): Reply;
};

function send(reply: Reply, { status, headers, body }: OAuthAnswer): Reply {
  for (const [name, value] of Object.entries(headers)) reply.header(name, value);
  return reply.code(status).send(body);
}
