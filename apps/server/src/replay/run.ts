import { createReadStream, existsSync, statSync } from 'node:fs';
import { CONTEXT_NAMES } from '@provender/contracts';
import { type Instant, instant, localMoment } from '@provender/kernel';
import {
  type Log,
  type ManualClock,
  manualClock,
  migrate,
  postgresTransport,
  randomIds,
  type Settings,
  type Transport,
} from '@provender/platform';
import { modules, openSystem, type System } from '../system.ts';
import { type Decisions, hearDecisions } from './decisions.ts';
import { idFrom } from './identity.ts';
import { readLines } from './lines.ts';
import type { ReplayOptions } from './options.ts';
import { type PlayOptions, playTickets } from './play.ts';
import type { Progress } from './progress.ts';
import { openShop, type ShopSite } from './shop.ts';
import { NEW_STATE, type ReplayState } from './state.ts';
import { NotOurs, openReplayStore, type ReplayStore, type Saved } from './store.ts';
import { placeInTime, readTickets, type Stamp, type Ticket, withNext } from './tickets.ts';
import { readLayout, type TillLayout } from './till.ts';
import { stampOf } from './play.ts';

/** What was asked cannot be done, and why, in words for whoever asked. */
export class CannotReplay extends Error {}

const STAFF = { email: 'till@example.com', name: 'The till', roles: ['staff'] } as const;
/** Where a file has no ticket at all, business time still needs a beginning. */
const NO_TICKET: Stamp = { date: '2000-01-01', second: 0 };

export type Run = {
  readonly settings: Settings;
  readonly options: ReplayOptions;
  readonly play: PlayOptions;
  readonly databaseUrl: string;
  readonly progress: Progress;
  readonly mayGoOn: () => boolean;
};

export type Finished = {
  readonly state: ReplayState;
  readonly isDone: boolean;
  readonly startedAt: Instant;
  readonly endedAt: Instant;
  readonly layout: TillLayout;
  readonly site: ShopSite;
};

/** Plays a file on its database, from the beginning or from where it was, and leaves the books there. */
export async function runReplay(run: Run): Promise<Finished> {
  const { options, play, databaseUrl } = run;
  const layout = await layoutOf(options);
  const store = await openStore(databaseUrl, play.identity);
  try {
    const saved = await store.load();
    const first = saved.startedAt === null ? await firstStamp(options, layout) : undefined;
    const startedAt = saved.startedAt ?? localMoment((first ?? NO_TICKET).date, 0, options.timeZone);
    const site = siteOf(options, startedAt, play.identity);
    if (saved.isDone && saved.state !== null && saved.clock !== null) {
      return { state: saved.state, isDone: true, startedAt, endedAt: saved.clock, layout, site };
    }
    await migrate(databaseUrl, modules);
    const clock = manualClock(await restoredClock(store, saved, startedAt));
    const failures: unknown[] = [];
    const decisions = hearDecisions(postgresTransport());
    const system = systemOf(run, clock, decisions.transport, failures);
    await system.start({ timers: false });
    try {
      const outcome = await playOn(run, { system, clock, decisions, store, site, startedAt, layout, saved, failures });
      await system.idle();
      return { ...outcome, startedAt, endedAt: clock.now(), layout, site };
    } finally {
      await system.stop();
    }
  } finally {
    await store.close();
  }
}

async function openStore(url: string, identity: string): Promise<ReplayStore> {
  try {
    return await openReplayStore(url, identity);
  } catch (error) {
    if (error instanceof NotOurs) throw new CannotReplay(`This database cannot be played in: ${error.message}.`);
    throw error;
  }
}

/** Business time goes on from the last thing that happened, saved or not: so what was cut off ends at its own time. */
async function restoredClock(store: ReplayStore, saved: Saved, startedAt: Instant): Promise<Instant> {
  const latest = (await store.latestEvent(CONTEXT_NAMES)) ?? startedAt;
  return instant(Math.max(startedAt, saved.clock ?? startedAt, latest));
}

function systemOf(
  { settings, databaseUrl }: Run,
  clock: ManualClock,
  transport: Transport,
  failures: unknown[],
): System {
  const failed = (fields: object, message: string) =>
    void failures.push('err' in fields ? fields.err : new Error(message));
  const log: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: failed };
  return openSystem(CONTEXT_NAMES, {
    databaseUrl,
    transport,
    clock,
    ids: randomIds(),
    settings,
    log,
    publicUrl: () => 'http://127.0.0.1',
    oneCluster: true,
    // Progress stands in the same database: what a crash of the machine undoes, it undoes for both, and is played
    // again.
    waitsForDisk: false,
  });
}

type Going = {
  readonly system: System;
  readonly clock: ManualClock;
  readonly decisions: Decisions;
  readonly store: ReplayStore;
  readonly site: ShopSite;
  readonly startedAt: Instant;
  readonly layout: TillLayout;
  readonly saved: Saved;
  readonly failures: readonly unknown[];
};

async function playOn(run: Run, going: Going): Promise<{ state: ReplayState; isDone: boolean }> {
  const { options, play, progress, mayGoOn } = run;
  const { system, clock, decisions, store, site, startedAt, layout, saved, failures } = going;
  const people = (await system.identity?.addPeople([STAFF], idFrom(clock.now(), play.identity, 'password'))) ?? [];
  const staffId = people[0]?.id;
  if (staffId === undefined) throw new Error('Nobody is at the counter');
  const shop = openShop(system, { site, staffId, clock, decisions });
  await shop.settle();
  await shop.openSite(site);
  const from = saved.state ?? NEW_STATE;
  progress.begin(from);
  const bytes = { read: 0 };
  const tickets = readTickets(linesFrom(options.file, from.nextLine, bytes), layout);
  return playTickets(
    {
      ...{ shop, store, options: play, startedAt, mayGoOn },
      onTicket(state) {
        // A reaction or a job that fails parks or postpones its work; a replay must not go on as if it were done.
        if (failures.length > 0) throw failures[0];
        progress.report(state, bytes.read);
      },
    },
    tickets,
    from,
  );
}

function siteOf(options: ReplayOptions, startedAt: Instant, identity: string): ShopSite {
  const { timeZone, opensAt, closesAt, currency } = options;
  const id = idFrom(startedAt, identity, 'site');
  return { id, name: 'The till', kind: 'shop', timeZone, opensAt, closesAt, currency };
}

/** The lines after the header, from one on; those before it are passed over as they stream by. */
async function* linesFrom(file: string, first: number, bytes: { read: number } = { read: 0 }) {
  for await (const line of readLines(createReadStream(file))) {
    bytes.read += line.text.length + 1;
    if (line.number >= first) yield line;
  }
}

async function layoutOf({ file, columns }: ReplayOptions): Promise<TillLayout> {
  if (!existsSync(file) || !statSync(file).isFile()) throw new CannotReplay(`There is no file ${file}.`);
  for await (const header of readLines(createReadStream(file))) {
    const layout = readLayout(header, columns);
    if (layout.ok) return layout.value;
    if (layout.refusal.kind === 'no-header') break;
    const { column, found } = layout.refusal;
    throw new CannotReplay(
      `The first line has no column "${column}", but ${found.map((name) => `"${name}"`).join(', ')}. ` +
        'Say which it is with --columns.',
    );
  }
  throw new CannotReplay(`The first line of ${file} is no header such as Date,Time,Transaction,Item.`);
}

/** When the first ticket that will be played was rung up. */
async function firstStamp(options: ReplayOptions, layout: TillLayout): Promise<Stamp | undefined> {
  const tickets = readTickets(linesFrom(options.file, 2), layout);
  for await (const { value, next } of withNext<Ticket>(tickets)) {
    const stamp = stampOf(value);
    if (stamp === undefined) continue;
    const place = placeInTime(stamp, undefined, next === undefined ? undefined : stampOf(next));
    if (place.kind === 'at') return place.stamp;
  }
  return undefined;
}
