import { readSettings } from '@provender/platform';
import { help } from './commands/help.ts';
import { besideRunningTown } from './up/running-town.ts';

type Command = (args: readonly string[]) => Promise<number>;

/** Loaded when asked for, so that `help` needs nothing else to work. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => withSettings((await import('./commands/start.ts')).start),
  up: async () => withSettings((await import('./commands/up.ts')).up),
  operations: async () => withSettings((await import('./commands/operations.ts')).operations),
  verify: async () => besideTown((await import('./commands/verify.ts')).verify),
  replay: async () => withSettings((await import('./commands/replay.ts')).replay),
  promote: async () => besideTown((await import('./commands/promote.ts')).promote),
  republish: async () => besideTown((await import('./commands/republish.ts')).republish),
  'rebuild-profiles': async () => besideTown((await import('./commands/rebuild-profiles.ts')).rebuildProfiles),
  'trim-log': async () => besideTown((await import('./commands/trim-log.ts')).trimLog),
  help: async () => async () => help(),
};

type Settings = Extract<ReturnType<typeof readSettings>, { ok: true }>['value'];

/** Checks the settings first: a wrong value stops the command with one line each. */
function withSettings(command: (settings: Settings, args: readonly string[]) => Promise<number>): Command {
  return async (args) => {
    const settings = readSettings(process.env);
    if (settings.ok) return command(settings.value, args);
    for (const problem of settings.problems) console.error(problem);
    return 1;
  };
}

/** The same for a command that looks at what runs, also where that runs apart. */
function besideTown(command: (settings: Settings, args: readonly string[]) => Promise<number>): Command {
  return withSettings((settings, args) => command(besideRunningTown(settings), args));
}

async function main(): Promise<number> {
  const [name = 'help', ...args] = process.argv.slice(2);
  const load = commands[name.replace(/^--?/, '')];
  if (load === undefined) {
    console.error(`There is no command "${name}". Known are: ${Object.keys(commands).join(', ')}.`);
    return 2;
  }
  const command = await load();
  return command(args);
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    // What goes wrong for a known reason says so in one line; a bug shows where it is.
    const message = error instanceof Error ? error.message : String(error);
    console.error(process.env.LOG_LEVEL === 'debug' && error instanceof Error ? error.stack : message);
    process.exit(isWrongUse(error) ? 2 : 1);
  },
);

/** An option that the command does not have, or one without its value. */
function isWrongUse(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}
