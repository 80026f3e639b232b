import { openClock, type Settings } from '@provender/platform';
import { openOperationsProcess } from '../operations-process.ts';
import { waitForStop } from '../wait-for-stop.ts';

/**
 * Runs what looks at the databases of all contexts (DATABASE_URLS), until SIGTERM or SIGINT. Gives the exit code.
 */
export async function operations(settings: Settings): Promise<number> {
  const databases = settings.databaseUrls ?? {};
  const [first] = Object.values(databases);
  if (first === undefined) {
    console.error('DATABASE_URLS: must be set, to a list such as identity=postgres://…,catalog=postgres://….');
    return 1;
  }
  const stopAsked = waitForStop();
  const process = await openOperationsProcess(settings, databases, await openClock(first, settings.clock));
  try {
    await process.start();
    console.log(`Provender's operations are ready at ${process.url()}`);
    await stopAsked;
  } finally {
    await process.stop();
  }
  return 0;
}
