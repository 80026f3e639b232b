/**
 * How a context offers routes. `read` for GET, `write` for a change that is one transaction, `command` for a change
 * that waits for others (placing an order). Every route declares who may call it; one without `access` is refused at
 * the start. Schemas are TypeBox from contracts; params, query, body and answer are typed by them.
 *
 *     export function routes(app: HttpApp, db: Database, ids: Ids) {
 *       read(app, {
 *         method: 'GET',
 *         url: '/api/sites',
 *         access: 'anyone',
 *         summary: 'All sites',
 *         schema: { querystring: PageQuery, response: Page(SiteBody) },
 *         async handle({ query }) {
 *           const paging = paged(query, ['text', 'uuid']);
 *           if (!paging.ok) return paging.refusal;
 *           const rows = await listSites(db, paging.value);       // LIMIT paging.value.limit + 1
 *           return page(rows, paging.value.limit, siteBody, (row) => [row.name, row.id]);
 *         },
 *       });
 *       write(app, {
 *         method: 'POST',
 *         url: '/api/users',
 *         access: 'anyone',                                       // or 'signed-in', or ['staff'] (admits managers)
 *         summary: 'Register',
 *         schema: { body: RegisterBody, response: { 201: UserBody } },
 *         db,
 *         problems: { 'email-taken': 409 },
 *         async handle({ body, now }, tx) {
 *           const registered = await registerUser(tx, ids.next(), body, now);
 *           if (!registered.ok) return problem('email-taken', { detail: 'Somebody has this address already.' });
 *           return answer(201, registered.value);
 *         },
 *       });
 *     }
 *
 * - A change is refused as a value: `problem(kind, { detail, ...members })`, with the kind's status in `problems` (or a
 *   common one: `not-found`, `forbidden`, …). What belongs to somebody else is `not-found`.
 * - In `write`, decide before writing: what was written before a refusal commits with it, since the refusal is kept for
 *   repeats of the Idempotency-Key. Use ON CONFLICT DO NOTHING and look at the rows, an error ends the transaction.
 *   Nothing but queries of `tx` is awaited in it; slow work (hashing a password) goes into
 *   `prepare: async ({ body }) => …`, whose value is the handler's third argument.
 * - `command` hands over the Idempotency-Key with its scope and the request's hash (`idempotency`): the handler binds
 *   it to its effect, and refuses with `keyReused` or `requestInProgress` itself.
 * - `app.forms((scope) => …)` is for routes that take forms and answer in the words of RFC 6749; those are registered
 *   on Fastify itself with `config: { access }`. A body that many ask for is written once, answered by `readyJson`.
 * - `answer(204)` has no body. Optional members of an answer may be undefined. Members that the schema does not name
 *   never leave the server.
 */
export * from './access.ts';
export { answer, readyJson } from './answers.ts';
export * from './event-stream.ts';
export {
  type Idempotency,
  type KeptAnswer,
  keyReused,
  purgeIdempotencyKeys,
  requestInProgress,
} from './idempotency.ts';
export { asyncApi } from './asyncapi.ts';
export { GATEWAY_HEADERS, proveOrigin, provenOrigin } from './gateway-proof.ts';
export { GENERAL_LIMIT, STRICT_LIMIT } from './limits.ts';
export type { Documents } from './operations.ts';
export * from './paging.ts';
export {
  type CommonProblem,
  commonProblems,
  isRefused,
  type Problems,
  problem,
  type Refused,
  sendProblem,
} from './problem.ts';
export { type KeyShelf, publishedKeys } from './token-keys.ts';
export type { Answer, HttpApp, KeyedRequest, ReadyJson, Rendered } from './route-types.ts';
export { createHttpServer, type HttpServer, type HttpServerOptions } from './server.ts';
export { createTokenVerifier, type TokenVerifierOptions, type VerifiedToken, type VerifyToken } from './tokens.ts';
export type { RouteListed } from './guard.ts';
export { command, read, write } from './routes.ts';
