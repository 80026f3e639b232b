import type { FastifyReply } from 'fastify';

/** Kinds of refusals of a context with the status of each: `{ 'email-taken': 409 } as const`. */
export type Problems = Readonly<Record<string, number>>;

/** Kinds that any route may answer with. */
export const commonProblems = {
  'invalid-request': 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  'method-not-allowed': 405,
  'request-timeout': 408,
  'request-in-progress': 409,
  'payload-too-large': 413,
  'uri-too-long': 414,
  'unsupported-media-type': 415,
  'idempotency-key-reused': 422,
  'too-many-requests': 429,
  'headers-too-large': 431,
  'internal-error': 500,
  unavailable: 503,
} as const satisfies Problems;

export type CommonProblem = keyof typeof commonProblems;

const refused = Symbol('refused');

/** A refusal on its way to the caller: becomes `application/problem+json` with the status of its kind. */
export type Refused<Kind extends string = string> = {
  readonly [refused]: true;
  readonly kind: Kind;
  readonly detail: string;
  readonly members: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
};

/** Refuses: a kind, a sentence for people, and the members of the kind (`shortages`, …), which go beside them. */
export function problem<const Kind extends string>(
  kind: Kind,
  { detail, ...members }: { readonly detail: string; readonly [member: string]: unknown },
  headers: Readonly<Record<string, string>> = {},
): Refused<Kind> {
  return { [refused]: true, kind, detail, members, headers };
}

export function isRefused(outcome: unknown): outcome is Refused {
  return typeof outcome === 'object' && outcome !== null && refused in outcome;
}

export const PROBLEM_CONTENT_TYPE = 'application/problem+json; charset=utf-8';

/** The status of a kind. Throws where no table knows it: the route forgot to list it. */
export function problemStatus(kind: string, problems: Problems): number {
  const status = problems[kind] ?? (commonProblems as Problems)[kind];
  if (status === undefined) throw new Error(`The route lists no problem of the kind ${kind}`);
  return status;
}

/** `insufficient-stock` → `Insufficient stock`. */
export function problemTitle(kind: string): string {
  const words = kind.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The body of a problem document (RFC 9457). Members of the kind never replace the standard ones. */
export function problemBody(refusal: Refused, status: number): string {
  const { kind, detail, members } = refusal;
  return JSON.stringify({ ...members, type: `/problems/${kind}`, title: problemTitle(kind), status, detail });
}

/** Answers with a problem of a common kind, where there is no route whose handler could refuse. */
export function sendProblem(
  reply: FastifyReply,
  kind: CommonProblem,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): FastifyReply {
  const status = commonProblems[kind];
  return reply
    .code(status)
    .headers(headers)
    .type(PROBLEM_CONTENT_TYPE)
    .send(problemBody(problem(kind, { detail }), status));
}
