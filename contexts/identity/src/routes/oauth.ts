import { API_SCOPE, FIRST_PARTY_CLIENT_ID, OAuthError, TokenAnswer } from '@provender/contracts';
import type { HttpApp } from '@provender/platform';
import type { FastifyReply } from 'fastify';
import { type TSchema, Type } from 'typebox';
import { OAUTH_PATHS } from '../authorization-server/provider.ts';
import type { OAuthAnswer, OAuthExchange } from '../authorization-server/exchange.ts';

/** The first call starts the authorization server: before the server listens, nobody knows the issuer's port. */
export type OpenExchange = () => Promise<OAuthExchange>;

type Form = Readonly<Record<string, unknown>>;

/** The routes of RFC 6749, 7009, 7517 and 8414. What they take and give is the library's. */
export function oauthRoutes(app: HttpApp, exchange: OpenExchange): void {
  app.forms((scope) => {
    for (const { url, summary, fields, response } of FORM_ROUTES) {
      const schema = { summary, tags: [app.context], consumes: [FORM], body: formSchema(fields), response };
      scope.post(
        url,
        { schema, config: { access: 'anyone' } },
        async ({ headers: { authorization }, body, ip }, reply) => {
          const { handle } = await exchange();
          const form = formBody(body, authorization);
          return send(reply, await handle({ method: 'POST', path: url, body: form, authorization, address: ip }));
        },
      );
    }
  });
  for (const { url, summary } of DOCUMENT_ROUTES) {
    const schema = { summary, tags: [app.context], response: { 200: ANY_OBJECT } };
    app.fastify.get(url, { schema, config: { access: 'anyone' } }, async ({ ip }, reply) => {
      const { handle } = await exchange();
      reply.header('cache-control', DOCUMENT_CACHED);
      return send(reply, await handle({ method: 'GET', path: url, body: '', authorization: undefined, address: ip }));
    });
  }
}

/** Keys and addresses change rarely; a verifier that meets an unknown key asks again anyway. */
const DOCUMENT_CACHED = 'public, max-age=300';

const FORM = 'application/x-www-form-urlencoded';
const ANY_OBJECT = Type.Object({}, { additionalProperties: true });

const FORM_ROUTES = [
  {
    url: OAUTH_PATHS.token,
    summary: 'Gives tokens (RFC 6749): grant_type password, refresh_token or client_credentials',
    fields: ['grant_type', 'username', 'password', 'refresh_token', 'scope', 'client_id', 'client_secret'],
    response: { 200: TokenAnswer, 400: OAuthError, 401: OAuthError, 429: OAuthError },
  },
  {
    url: OAUTH_PATHS.revocation,
    summary: 'Ends a refresh token and its family (RFC 7009)',
    fields: ['token', 'token_type_hint', 'client_id', 'client_secret'],
    response: { 400: OAuthError, 401: OAuthError },
  },
] as const satisfies readonly {
  url: string;
  summary: string;
  fields: readonly string[];
  response: Record<number, TSchema>;
}[];

const DOCUMENT_ROUTES = [
  { url: OAUTH_PATHS.jwks, summary: 'The public keys of access tokens (RFC 7517)' },
  { url: OAUTH_PATHS.metadata, summary: 'What the authorization server offers, and where (RFC 8414)' },
] as const;

/** Names the fields for the documentation and checks nothing: errors here are RFC 6749's, which the library says. */
function formSchema(fields: readonly string[]): TSchema {
  const properties = Object.fromEntries(fields.map((field) => [field, {}]));
  return Type.Unsafe({ type: ['object', 'null'], properties, additionalProperties: true });
}

/**
 * The form as it came; who names no client is our own public one. A field sent twice stays two, for the library to
 * refuse.
 */
function formBody(body: unknown, authorization: string | undefined): string {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(isForm(body) ? body : {})) {
    for (const one of Array.isArray(value) ? value : [value]) form.append(name, `${one}`);
  }
  const namesClient = form.has('client_id') || form.has('client_assertion') || authorization !== undefined;
  if (!namesClient) form.set('client_id', FIRST_PARTY_CLIENT_ID);
  if (form.get('grant_type') === 'client_credentials' && !form.has('scope')) form.set('scope', API_SCOPE);
  return form.toString();
}

function isForm(body: unknown): body is Form {
  return typeof body === 'object' && body !== null;
}

function send(reply: FastifyReply, { status, headers, body }: OAuthAnswer): FastifyReply {
  return reply
    .code(status)
    .headers({ ...headers })
    .send(body);
}
