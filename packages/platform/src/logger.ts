import pino, { type DestinationStream, type Logger } from 'pino';

/** Where secrets could come into a log line: never shown, wherever they stand in the first three levels. */
const SECRET_NAMES = [
  'authorization',
  'cookie',
  'password',
  'clientSecret',
  'client_secret',
  'access_token',
  'accessToken',
  'refresh_token',
  'refreshToken',
  'token',
  'secret',
  'databaseUrl',
  'set-cookie',
] as const;

const paths = SECRET_NAMES.flatMap((name) => {
  const member = `["${name}"]`;
  return [member.slice(0), `*${member}`, `*.*${member}`];
});

/** Structured logs on standard output, one JSON object a line. `destination` is for tests. */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options = { level, base: null, redact: { paths, censor: '[secret]' }, formatters: { level: levelName } };
  return destination === undefined ? pino(options) : pino(options, destination);
}

function levelName(label: string): { level: string } {
  return { level: label };
}
