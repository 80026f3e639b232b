import { parseArgs } from 'node:util';
import { madeProfiles } from '@provender/identity';
import { consumeAnew, type Settings } from '@provender/platform';
import { useDatabaseServer } from '../database-server.ts';

const HELP = `npm run provender -- rebuild-profiles

Makes the profiles of all users anew from the events of all contexts, from the first one on. A system that runs does it
at once, beside its work; one that does not, when it starts. Meanwhile profiles show what has been read so far. Where
identity has a database of its own, run it with DATABASE_URL set to that.`;

/** Lets identity hear everything once more. Gives the exit code. */
export async function rebuildProfiles(settings: Settings, args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { help: { type: 'boolean' } } });
  if (values.help === true) {
    console.log(HELP);
    return 0;
  }
  const database = await useDatabaseServer(settings, (line) => console.error(line), 'identity');
  try {
    const logs = await consumeAnew(database.url, 'identity', madeProfiles);
    console.log(`Profiles grow anew from ${logs} logs.`);
    return 0;
  } finally {
    await database.stop();
  }
}
