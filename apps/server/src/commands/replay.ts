import { createReadStream, existsSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { manualClock, type Settings } from '@provender/platform';
import { openDatabaseServer } from '../database-server.ts';
import { readBooks } from '../replay/books.ts';
import { databaseNameOf, MayNotMake, ownDatabase } from '../replay/database.ts';
import { countLines, writeReports } from '../replay/files.ts';
import { hashOf, identityOf } from '../replay/identity.ts';
import { type ReplayOptions, readReplayOptions, REPLAY_HELP } from '../replay/options.ts';
import type { PlayOptions } from '../replay/play.ts';
import { decimalsOf, type PriceList, readPrices } from '../replay/prices.ts';
import { openProgress } from '../replay/progress.ts';
import { type Report, reportOf } from '../replay/report.ts';
import { reportText } from '../replay/report-text.ts';
import { CannotReplay, type Finished, runReplay } from '../replay/run.ts';
import { openReplayStore } from '../replay/store.ts';
import { verifyPromises, type Verification } from '../verify/run-checks.ts';
import { printOutcome } from './verify.ts';

/** Plays a till's file through the system, reports, and checks every promise. Gives the exit code. */
export async function replay(settings: Settings, args: readonly string[]): Promise<number> {
  const asked = readReplayOptions(args);
  if (!asked.ok) {
    if (asked.refusal.kind === 'help') console.log(REPLAY_HELP);
    else console.error(`${asked.refusal.problem} (npm run provender -- replay --help)`);
    return asked.refusal.kind === 'help' ? 0 : 2;
  }
  try {
    return await replayFile(settings, asked.value);
  } catch (error) {
    const line = refusalOf(error);
    if (line === undefined) throw error;
    console.error(line);
    return 2;
  }
}

/** What whoever asked can mend; undefined for what is a bug or a broken machine. */
function refusalOf(error: unknown): string | undefined {
  if (error instanceof CannotReplay) return error.message;
  if (error instanceof MayNotMake) {
    return 'The role of DATABASE_URL may not make databases. Make an empty one, and name it with --database.';
  }
  return undefined;
}

async function replayFile(settings: Settings, options: ReplayOptions): Promise<number> {
  const { file } = options;
  if (!existsSync(file) || !statSync(file).isFile()) throw new CannotReplay(`There is no file ${file}.`);
  const prices = await pricesOf(options);
  const sha256 = await hashOf(createReadStream(file));
  const play = playOptions(options, prices, sha256);
  const { databaseUrl: named } = options;
  const server = named === undefined ? await openDatabaseServer(settings, (line) => console.error(line)) : undefined;
  try {
    const name = databaseNameOf(play.identity);
    const databaseUrl = named ?? (await ownDatabase(server?.url ?? '', name, options.isFresh));
    const finished = await playWithProgress(settings, options, play, databaseUrl);
    if (!finished.isDone) {
      console.error('Stopped. The same command goes on from here.');
      return 130;
    }
    return await reportAll(options, play, { finished, databaseUrl, sha256 });
  } finally {
    await server?.stop();
  }
}

async function pricesOf({ pricesFile, currency }: ReplayOptions): Promise<PriceList> {
  if (pricesFile === undefined) return new Map();
  if (!existsSync(pricesFile)) throw new CannotReplay(`There is no file ${pricesFile}.`);
  const prices = await readPrices(createReadStream(pricesFile), decimalsOf(currency));
  if (prices.ok) return prices.value;
  throw new CannotReplay(`${pricesFile}, line ${prices.refusal.line}: ${prices.refusal.detail}.`);
}

function playOptions(options: ReplayOptions, prices: PriceList, sha256: string): PlayOptions {
  const { columns, timeZone, opensAt, closesAt, currency, closedDays, ticketsMax } = options;
  const hours = { timeZone, opensAt, closesAt };
  const identity = identityOf(sha256, [columns, hours, currency, closedDays, ticketsMax, [...prices]]);
  return { identity, hours, prices, closedDays: new Set(closedDays), ticketsMax };
}

async function playWithProgress(settings: Settings, options: ReplayOptions, play: PlayOptions, databaseUrl: string) {
  const { stderr } = process;
  const output = {
    write: (text: string) => void stderr.write(text),
    isTTY: stderr.isTTY === true,
    columns: stderr.columns ?? 80,
  };
  const progress = openProgress(output, statSync(options.file).size, () => performance.now());
  let isAskedToStop = false;
  const stop = () => {
    isAskedToStop = true;
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  try {
    return await runReplay({ settings, options, play, databaseUrl, progress, mayGoOn: () => !isAskedToStop });
  } finally {
    progress.end();
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}

type Played = { readonly finished: Finished; readonly databaseUrl: string; readonly sha256: string };

async function reportAll(options: ReplayOptions, play: PlayOptions, played: Played): Promise<number> {
  const { finished, databaseUrl, sha256 } = played;
  const verification = await verifyPromises({ databases: databaseUrl, clock: manualClock(finished.endedAt) });
  const store = await openReplayStore(databaseUrl, play.identity);
  try {
    const lines = await countLines(options.file);
    const report = reportOf({
      file: {
        name: basename(options.file),
        sha256,
        unusedColumns: finished.layout.unused,
        lines,
        linesNotPlayed: lines - finished.state.counts.lines,
      },
      site: {
        timeZone: options.timeZone,
        opensAt: options.opensAt,
        closesAt: options.closesAt,
        currency: options.currency,
      },
      state: finished.state,
      books: await readBooks(databaseUrl, options.timeZone),
      demand: await store.demand(),
      reasons: await store.reasons(),
      closedDays: options.closedDays,
      checks: verification.checks,
    });
    const written = await writeReports(options, report, store.lines());
    const books = `The books stand in the database ${new URL(databaseUrl).pathname.slice(1)}`;
    return printReport(report, verification, [...written, books]);
  } finally {
    await store.close();
  }
}

function printReport(report: Report, verification: Verification, written: readonly string[]): number {
  console.log(reportText(report));
  console.log('');
  printOutcome(verification);
  for (const line of written) console.error(line);
  const agrees = report.crossChecks.every((check) => check.ok) && report.file.linesNotPlayed >= 0;
  if (!agrees) console.error('The books do not agree with what was played: see FAIL above.');
  return verification.ok && agrees ? 0 : 1;
}
