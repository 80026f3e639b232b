import { parseArgs } from 'node:util';
import { CONTEXT_NAMES, type ContextName } from '@provender/contracts';
import { parseInstant } from '@provender/kernel';
import { dropLogPartitions, type Settings } from '@provender/platform';
import { useDatabaseServer } from '../database-server.ts';

const HELP = `npm run provender -- trim-log CONTEXT --before TIME

Drops the parts of a context's event log (a million events each) whose newest event is older than TIME and which every
consumer has passed. Logs are kept for ever unless you do this. What is dropped cannot be replayed.

  CONTEXT        one of ${CONTEXT_NAMES.join(', ')}
  --before TIME  such as 2026-01-01T00:00:00Z`;

/** Drops old parts of one log and prints what became of each part. Gives the exit code. */
export async function trimLog(settings: Settings, args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { before: { type: 'string' }, help: { type: 'boolean' } },
  });
  const context = CONTEXT_NAMES.find((name): name is ContextName => name === positionals[0]);
  const before = values.before === undefined ? undefined : parseInstant(values.before);
  if (values.help === true || context === undefined || before === undefined) {
    console.log(HELP);
    return values.help === true ? 0 : 2;
  }
  const database = await useDatabaseServer(settings, (line) => console.error(line), context);
  try {
    for (const { from, to, dropped, reason } of await dropLogPartitions(database.url, { context, before })) {
      console.log(`events ${from} to ${to - 1}: ${dropped ? 'dropped' : `kept, ${reason}`}`);
    }
    return 0;
  } finally {
    await database.stop();
  }
}
