import { parseArgs } from 'node:util';
import { CONTEXT_NAMES, type ContextName } from '@provender/contracts';
import { type Settings, setRelayBack } from '@provender/platform';
import { useDatabaseServer } from '../database-server.ts';

const HELP = `npm run provender -- republish CONTEXT [--from POSITION]

Has the log of a context carried to Kafka once more: after a topic was lost or emptied, or for a new consumer of what
the topic keeps no longer. Run it where DATABASE_URL is that context's database. Consumers pass over what they have
had, so it does no harm while the system runs; a process of the context begins within seconds.

  CONTEXT          one of ${CONTEXT_NAMES.join(', ')}
  --from POSITION  the first event that is carried again; without it, the first one that the log has`;

/** Sets the relay of one context back and says how much it carries again. Gives the exit code. */
export async function republish(settings: Settings, args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { from: { type: 'string' }, help: { type: 'boolean' } },
  });
  const context = CONTEXT_NAMES.find((name): name is ContextName => name === positionals[0]);
  const from = positionOf(values.from ?? '1');
  if (values.help === true || context === undefined || from === undefined || positionals.length > 1) {
    console.log(HELP);
    return values.help === true ? 0 : 2;
  }
  const database = await useDatabaseServer(settings, (line) => console.error(line), context);
  try {
    const { from: first, head } = await setRelayBack(database.url, context, from);
    console.log(
      first > head
        ? `The log of ${context} ends at ${head}: nothing is carried again.`
        : `The log of ${context} is carried to Kafka again from event ${first} on; it ends at ${head} now.`,
    );
    return 0;
  } finally {
    await database.stop();
  }
}

function positionOf(text: string): number | undefined {
  const position = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  return position >= 1 ? position : undefined;
}
