import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { errorCode, isUnavailable } from '../database-errors.ts';
import { Overloaded } from '../reactor.ts';
import { traceIdOf } from '../trace.ts';
import { isBodyError } from './json-body.ts';
import {
  type CommonProblem,
  commonProblems,
  PROBLEM_CONTENT_TYPE,
  problem,
  problemBody,
  type Refused,
} from './problem.ts';
import { at, fieldErrors } from './validation.ts';

const RETRY_SECONDS = '1';

/** What the framework and the libraries throw at us, by their codes. */
const KNOWN_CODES: Readonly<Record<string, readonly [CommonProblem, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['payload-too-large', 'The body is larger than 256 kB.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported-media-type', 'The body must be application/json.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['invalid-request', 'The body is not as long as its Content-Length says.'],
  FST_ERR_BAD_URL: ['invalid-request', 'The address is not well-formed.'],
  FST_ERR_MAX_PARAM_LENGTH: ['uri-too-long', 'A part of the address is too long.'],
};

/**
 * Values that passed the schema but not the database: out of range, not a date, not storable. The request is at fault,
 * though a schema should have said so first, which is why it is logged.
 */
const UNFIT_VALUE_CODES = new Set(['22003', '22007', '22008', '22021', '22P02', '22P05']);

/** Anything thrown, as the refusal that its sender gets. What is not known is `internal-error` and tells nothing. */
export function refusalOf(error: FastifyError): Refused<CommonProblem> {
  if (error.validation !== undefined) {
    const place = error.validationContext === 'querystring' ? 'query' : (error.validationContext ?? 'request');
    return problem('invalid-request', {
      detail: `The ${place} is not as it should be: see errors.`,
      errors: fieldErrors(error.validation),
    });
  }
  if (isBodyError(error)) {
    const kind = error.statusCode === 415 ? 'unsupported-media-type' : 'invalid-request';
    return problem(kind, {
      detail: error.message,
      ...(kind === 'invalid-request' ? { errors: [at(error.pointer, error.message)] } : {}),
    });
  }
  const known = KNOWN_CODES[error.code];
  if (known !== undefined) {
    const [kind, detail] = known;
    return problem(kind, { detail, ...(kind === 'invalid-request' ? { errors: [at('', detail)] } : {}) });
  }
  if (error.statusCode === 429) return problem('too-many-requests', { detail: 'Too many requests. Wait a little.' });
  if (isUnavailable(error) || error instanceof Overloaded) {
    const detail = 'The system cannot do this right now. Try again in a moment.';
    return problem('unavailable', { detail }, { 'retry-after': RETRY_SECONDS });
  }
  if (UNFIT_VALUE_CODES.has(errorCode(error) ?? '')) {
    return problem('invalid-request', { detail: 'A value of the request cannot be stored.', errors: [] });
  }
  return problem('internal-error', { detail: 'Something went wrong on our side. It was logged with the request id.' });
}

/** Answers what was thrown as a problem document. Logs it with its stack where it is our fault. */
export function answerFailure(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const refusal = refusalOf(error);
  const status = commonProblems[refusal.kind];
  const isUnfitValue = UNFIT_VALUE_CODES.has(errorCode(error) ?? '');
  const marks = { requestId: request.id, traceId: traceIdOf(request.traceparent) };
  if (status === 500 || isUnfitValue) {
    request.log.error({ ...marks, method: request.method, url: request.routeOptions.url, err: error }, 'failed');
  } else if (status === 503) {
    request.log.warn({ ...marks, code: error.code, reason: error.message }, 'unavailable');
  }
  return reply.code(status).headers(refusal.headers).type(PROBLEM_CONTENT_TYPE).send(problemBody(refusal, status));
}
