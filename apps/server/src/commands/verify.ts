import { parseArgs } from 'node:util';
import { parseInstant } from '@provender/kernel';
import { openClock, type Settings } from '@provender/platform';
import { openDatabaseServer } from '../database-server.ts';
import { type Verification, verifyPromises } from '../verify/run-checks.ts';

const HELP = `npm run provender -- verify [options]

Checks every promise on the live data (docs/glossary.md has the promises). Exit code 1 on any violation.

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
  const database = await openDatabaseServer(settings, (line) => console.error(line));
  try {
    const clock = await openClock(database.url, settings.clockRate);
    const outcome = await verifyPromises({
      databaseUrl: database.url,
      clock,
      ...(since === undefined ? {} : { since }),
    });
    if (values.json === true) console.log(JSON.stringify(outcome, null, 2));
    else printOutcome(outcome);
    return outcome.ok ? 0 : 1;
  } finally {
    await database.stop();
  }
}

/** A line for each check, with the rows that break it below. */
export function printOutcome(outcome: Verification): void {
  for (const { name, promise, ok, violations } of outcome.checks) {
    console.log(`${ok ? 'ok  ' : 'FAIL'} ${promise} ${name}`);
    for (const row of violations) console.log(`       ${JSON.stringify(row)}`);
  }
  const failed = outcome.checks.filter((check) => !check.ok).length;
  console.log(failed === 0 ? `All ${outcome.checks.length} checks hold.` : `${failed} checks do not hold.`);
}
