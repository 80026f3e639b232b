import { parseArgs } from 'node:util';
import { parseInstant } from '@provender/kernel';
import { readClock, type Settings } from '@provender/platform';
import { useDatabaseServer } from '../database-server.ts';
import { type Verification, verifyPromises } from '../verify/run-checks.ts';

/** Half the time on a machine of two processors. */
const CONNECTIONS = 2;

const HELP = `npm run provender -- verify [options]

Checks every promise on the live data, also while the system runs, and changes nothing. Exit code 1 on any violation.
While the system rests, what should have happened by now is judged as of its last event.
Where contexts have databases of their own, DATABASE_URLS names them: identity=postgres://…,catalog=postgres://…

  --since TIME   looks only at what happened since then, such as 2026-11-21T00:00:00Z
  --json         prints the outcome as JSON`;

/** Runs all checks against the database of the settings and prints what they found. Gives the exit code. */
export async function verify(settings: Settings, args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { since: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  if (values.help === true) {
    console.log(HELP);
    return 0;
  }
  const since = values.since === undefined ? undefined : parseInstant(values.since);
  if (values.since !== undefined && since === undefined) {
    console.error(`--since ${values.since}: must be a time such as 2026-11-21T00:00:00Z.`);
    return 2;
  }
  const named = Object.values(settings.databaseUrls ?? {})[0];
  const database =
    named === undefined ? await useDatabaseServer(settings, (line) => console.error(line)) : { url: named, stop };
  try {
    const outcome = await verifyPromises({
      databases: settings.databaseUrls ?? database.url,
      clock: await readClock(database.url),
      allowForRest: true,
      connections: CONNECTIONS,
      ...(since === undefined ? {} : { since }),
    });
    if (values.json === true) console.log(JSON.stringify(outcome, null, 2));
    else printOutcome(outcome);
    return outcome.ok ? 0 : 1;
  } finally {
    await database.stop();
  }
}

/** Databases that others run are left running. */
async function stop(): Promise<void> {}

/** A line for each check, with the rows that break it below. */
export function printOutcome(outcome: Verification): void {
  for (const { name, promise, ok, violations } of outcome.checks) {
    console.log(`${ok ? 'ok  ' : 'FAIL'} ${promise} ${name}`);
    for (const row of violations) console.log(`       ${JSON.stringify(row)}`);
  }
  const failed = outcome.checks.filter((check) => !check.ok).length;
  const all = outcome.checks.length;
  console.log(
    `As of ${outcome.at}: ${failed === 0 ? `all ${all} checks hold.` : `${failed} of ${all} checks do not hold.`}`,
  );
}
