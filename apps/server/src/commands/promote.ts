import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import {
  createLogger,
  openAnnouncer,
  postgresTransport,
  randomIds,
  readClock,
  type Settings,
} from '@provender/platform';
import { useDatabaseServer } from '../database-server.ts';
import { openSystem } from '../system.ts';

const HELP = `npm run provender -- promote EMAIL

Makes somebody who has registered (POST /api/users) a manager, also while the system runs. The first manager of a new
installation has nobody else to ask; later ones are made by managers (PUT /api/users/{id}/roles). It counts from their
next sign-in on.`;

/** Gives one person the role manager and prints their roles. Gives the exit code. */
export async function promote(settings: Settings, args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { help: { type: 'boolean' } },
  });
  const [email, ...others] = positionals;
  if (values.help === true || email === undefined || others.length > 0) {
    console.log(HELP);
    return values.help === true ? 0 : 2;
  }
  const database = await useDatabaseServer(settings, (line) => console.error(line), 'identity');
  try {
    const made = await inIdentity(database.url, settings, email);
    if (made?.ok === true) {
      console.log(`${made.value.email}: ${made.value.roles.join(', ')}`);
      return 0;
    }
    console.error(`Nobody has registered as ${email}.`);
    return 1;
  } finally {
    await database.stop();
  }
}

/** Identity is opened but not started: it works beside the one that runs, whose contexts hear of it. */
async function inIdentity(databaseUrl: string, settings: Settings, email: string) {
  const system = openSystem(['identity'], {
    databaseUrl,
    transport: postgresTransport({ announcer: openAnnouncer(databaseUrl, randomUUID()) }),
    clock: await readClock(databaseUrl),
    ids: randomIds(),
    settings,
    log: createLogger(settings.logLevel),
    publicUrl: () => '',
    oneCluster: true,
  });
  try {
    return await system.identity?.promote(email);
  } finally {
    await system.stop();
  }
}
