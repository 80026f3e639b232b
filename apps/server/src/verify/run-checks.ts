import { setTimeout as wait } from 'node:timers/promises';
import type { ContextName } from '@provender/contracts';
import { formatInstant, type Instant, instant, type Milliseconds, MINUTE, SECOND } from '@provender/kernel';
import type { Clock } from '@provender/platform';
import { type Check, checksFor } from './checks.ts';
import { type Look, runGathered } from './gathered.ts';
import { beginLook, closeHomes, type DatabaseUrls, endLook, type Home, isInUse, openHomes } from './homes.ts';
import { type CheckMoment, type CheckOutcome, runCheck } from './run-check.ts';

export type Verification = {
  readonly ok: boolean;
  /** The moment as of which it was judged what should have happened by now. */
  readonly at: string;
  readonly checks: readonly CheckOutcome[];
};

export type VerifyOptions = {
  /** One database for all contexts, or one for each. */
  readonly databases: DatabaseUrls;
  readonly clock: Pick<Clock, 'now' | 'atLeastWall'>;
  /** Looks only at what happened since then, on tables that grow for ever. By default at everything. */
  readonly since?: Instant;
  /**
   * Where no context runs on any of the databases, judges as of the last event: the time in which nobody was there to
   * do anything is not held against it.
   */
  readonly allowForRest?: boolean;
  /** How many checks run side by side; one by default, so that a shop at work keeps its processors. */
  readonly connections?: number;
};

/** What must happen "soon" has happened a minute later, and never has less than ten seconds on the wall for it. */
const PATIENCE: Milliseconds = MINUTE;
const PATIENCE_WALL: Milliseconds = 10 * SECOND;
/**
 * How long after a look at several databases that found something the next is taken: other contexts see a write then.
 */
const SECOND_LOOK_AFTER: Milliseconds = SECOND;

/**
 * Checks every promise on the live data, each database in one snapshot, as the role that may read everything and write
 * nothing. What is found between databases is looked at again, since no snapshot spans them. Throws where a database
 * cannot be asked, or has never been that of a started Provender.
 */
export async function verifyPromises(options: VerifyOptions): Promise<Verification> {
  const homes = await openHomes(options.databases, options.connections ?? 1);
  try {
    const checks = checksFor(homes.flatMap(({ contexts }) => contexts));
    const patience = options.clock.atLeastWall(PATIENCE, PATIENCE_WALL);
    const rests = options.allowForRest === true && !(await Promise.all(homes.map(isInUse))).includes(true);
    const moment = async (): Promise<CheckMoment> => {
      const last = rests ? await lastEventAt(homes) : undefined;
      return { at: last ?? options.clock.now(), since: options.since, patience };
    };
    const first = await lookAt(homes, checks, moment);
    const outcomes = await lookAgain(homes, checks, first.outcomes, moment);
    return { ok: outcomes.every((outcome) => outcome.ok), at: formatInstant(first.at), checks: outcomes };
  } finally {
    await closeHomes(homes);
  }
}

type Looked = { readonly at: Instant; readonly outcomes: readonly CheckOutcome[] };

/** Runs checks in one snapshot of each database, all of them taken at about the same time. */
async function lookAt(
  homes: readonly Home[],
  checks: readonly Check[],
  momentOf: () => Promise<CheckMoment>,
): Promise<Looked> {
  try {
    const looks = await Promise.all(
      homes.map(async (home): Promise<Look> => ({ home, snapshot: await beginLook(home) })),
    );
    const moment = await momentOf();
    const outcomes = await runAtHome(homes, checks, moment);
    const between = checks.filter((check) => homeOf(homes, check) === undefined);
    if (between.length > 0) for (const each of await runGathered(looks, between, moment)) outcomes.set(each.name, each);
    return { at: moment.at, outcomes: checks.flatMap(({ name }) => outcomes.get(name) ?? []) };
  } finally {
    await Promise.all(homes.map(endLook));
  }
}

/** The checks that need one database only, each there; so many side by side as there are connections to each. */
async function runAtHome(homes: readonly Home[], checks: readonly Check[], moment: CheckMoment) {
  const outcomes = new Map<string, CheckOutcome>();
  const waiting = checks[Symbol.iterator]();
  const lines = Math.max(...homes.map(({ clients }) => clients.length));
  await Promise.all(
    Array.from({ length: lines }, async (_, line) => {
      for (const check of waiting) {
        const client = homeOf(homes, check)?.clients[line];
        if (client !== undefined) outcomes.set(check.name, await runCheck(client, check, moment));
      }
    }),
  );
  return outcomes;
}

function homeOf(homes: readonly Home[], { contexts }: Check): Home | undefined {
  return homes.find((home) => contexts.every((context) => home.contexts.includes(context)));
}

/**
 * One database may show what another does not show yet. So what was found between databases counts only where the same
 * thing, by the first column of its row, is found again a moment later.
 */
async function lookAgain(
  homes: readonly Home[],
  checks: readonly Check[],
  outcomes: readonly CheckOutcome[],
  momentOf: () => Promise<CheckMoment>,
): Promise<readonly CheckOutcome[]> {
  const fired = new Set(outcomes.filter(({ ok }) => !ok).map(({ name }) => name));
  const doubtful = checks.filter((check) => fired.has(check.name) && homeOf(homes, check) === undefined);
  if (doubtful.length === 0) return outcomes;
  await wait(SECOND_LOOK_AFTER);
  const again = new Map((await lookAt(homes, doubtful, momentOf)).outcomes.map((each) => [each.name, each]));
  return outcomes.map((outcome) => {
    const later = again.get(outcome.name);
    if (later === undefined) return outcome;
    const before = new Set(outcome.violations.map(whatOf));
    const violations = later.violations.filter((row) => before.has(whatOf(row)));
    return { ...later, ok: violations.length === 0, violations };
  });
}

/** What a row of a check is about: the first thing that it names. */
function whatOf(row: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(Object.values(row)[0]);
}

async function lastEventAt(homes: readonly Home[]): Promise<Instant | undefined> {
  const moments = await Promise.all(
    homes.map(async ({ clients: [client], contexts }) => {
      const times = contexts.map(lastTimeOf);
      const { rows } = await client.query<{ time: Date | null }>(`SELECT greatest(${times.join(', ')}) AS time`);
      return rows[0]?.time?.getTime() ?? 0;
    }),
  );
  const last = Math.max(...moments);
  return last === 0 ? undefined : instant(last);
}

function lastTimeOf(context: ContextName): string {
  return `(SELECT time FROM ${context}.outbox ORDER BY position DESC LIMIT 1)`;
}
