/** SQLSTATE of a database error, or the code of a network error. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Lost in a race; running the whole transaction again is right. */
export function isRace(error: unknown): boolean {
  const code = errorCode(error);
  return code === '40001' || code === '40P01';
}

/**
 * A table has changed under a prepared statement, or the statement is not there: what the driver believes of this
 * connection is no longer true. Another connection prepares it anew.
 */
export function isStaleStatement(error: unknown): boolean {
  const code = errorCode(error);
  if (code === '26000' || code === '42P05') return true;
  return code === '0A000' && error instanceof Error && error.message.includes('cached plan');
}

const UNAVAILABLE_CODES = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOENT', 'EHOSTUNREACH', 'ENETUNREACH'],
  ...['ENOTFOUND', 'EAI_AGAIN', '57014', '55P03'],
]);
const UNAVAILABLE_MESSAGE = new RegExp(
  [
    ...['Connection terminated', 'timeout exceeded when trying to connect', 'Query read timeout'],
    ...['Client was closed', 'not queryable', 'Cannot use a pool after'],
  ].join('|'),
);

/** The database is away, full, or too slow: nothing is wrong with the request, it may be sent again later. */
export function isUnavailable(error: unknown): boolean {
  const code = errorCode(error);
  if (code !== undefined) return /^(08|53|57P|58)/.test(code) || UNAVAILABLE_CODES.has(code);
  return error instanceof Error && UNAVAILABLE_MESSAGE.test(error.message);
}
