import type { Log } from '../../src/index.ts';

/** A log that nobody reads; with PROVENDER_TEST_LOG=1 it comes on the console. */
export const quiet: Log = logTo(process.env.PROVENDER_TEST_LOG === '1' ? console.error : () => {});

function logTo(say: (...parts: unknown[]) => void): Log {
  const line = (level: string) => (fields: object, message: string) => say(level, message, fields);
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
}
