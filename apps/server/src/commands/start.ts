import { openClock, type Settings } from '@provender/platform';
import { openDatabaseServer } from '../database-server.ts';
import { openServer } from '../server.ts';
import { waitForStop } from '../wait-for-stop.ts';

/** Runs the system until SIGTERM or SIGINT: database, contexts, HTTP. Gives the exit code. */
export async function start(settings: Settings): Promise<number> {
  const say = (line: string) => console.error(line);
  for (const line of warningsOf(settings)) say(line);
  const stopAsked = waitForStop();
  const database = await openDatabaseServer(settings, say);
  try {
    const clock = await openClock(database.url, settings.clock).catch((error: unknown) => {
      throw isNobodyThere(error) ? new Error(`DATABASE_URL: no PostgreSQL answers there (${error.message}).`) : error;
    });
    const server = await openServer({ settings, databaseUrl: database.url, clock });
    try {
      await server.start().catch((error: unknown) => {
        throw isPortTaken(error)
          ? new Error(`PORT=${settings.port}: is taken; choose another, or 0 for a free one.`)
          : error;
      });
      console.log(readyText(server.url(), settings));
      await stopAsked;
      say('Stopping: requests under way are finished first.');
    } finally {
      await server.stop();
    }
  } finally {
    await database.stop();
  }
  return 0;
}

/** What is allowed and rarely meant. */
function warningsOf({ contexts, publicUrl, tokenKeysUrl }: Settings): string[] {
  if (contexts.includes('identity') || publicUrl !== undefined) return [];
  const keys = tokenKeysUrl === undefined ? ', and where its keys are' : '';
  return [`PUBLIC_URL is not set and identity does not run here: nobody knows who issues access tokens${keys}.`];
}

function readyText(url: string, settings: Settings): string {
  const clock =
    settings.clock.rate === 1 ? '' : `\n  business time runs ${settings.clock.rate} times as fast as the wall clock`;
  const demo = settings.demo
    ? '\n  demo people: manager@example.com, staff@example.com, customer@example.com, password "test"'
    : '';
  return `Provender is ready at ${url}\n  the API to read and try: ${url}/docs${clock}${demo}`;
}

const NOBODY_THERE = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/;

function isNobodyThere(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && NOBODY_THERE.test(String(error.code));
}

function isPortTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}
