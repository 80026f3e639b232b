import { formatInstant, instant } from '@provender/kernel';
import pg from 'pg';
import { type Clock, type ClockOrigin, realClock, scaledClock } from './clock.ts';
import type { ClockWish } from './clock-text.ts';
import { PLATFORM_SCHEMA_LOCK } from './server-store.ts';

type Row = { readonly wall: string; readonly business: string; readonly rate: number };

const READ = 'SELECT wall, business, rate FROM platform.clock';
const MAKE = `
  CREATE SCHEMA IF NOT EXISTS platform;
  -- Where business time began to run at this rate: wall and business moment, in milliseconds since 1970.
  CREATE TABLE IF NOT EXISTS platform.clock (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    wall bigint NOT NULL,
    business bigint NOT NULL,
    rate double precision NOT NULL CHECK (rate >= 1)
  )`;
const WRITE = `
  INSERT INTO platform.clock (wall, business, rate) VALUES ($1, $2, $3)
  ON CONFLICT (single) DO UPDATE SET wall = excluded.wall, business = excluded.business, rate = excluded.rate`;

/**
 * Opens business time for every process of an installation: they all show the same, and a restart never goes back. The
 * origin is stored in the database. Where the rate has changed since, time goes on from where it is at the new rate; so
 * give all processes the same one. Real time needs nothing stored, unless a faster run has left business time ahead.
 * Processes with databases of their own are all given one origin; throws where that would take this one's time back.
 */
export async function openClock(ownerUrl: string, wish: ClockWish): Promise<Clock> {
  const origin = await openClockOrigin(ownerUrl, wish);
  return origin === undefined ? realClock() : scaledClock(origin);
}

/** The same, as what another process must be given to show the same time; undefined where that is the real time. */
export async function openClockOrigin(ownerUrl: string, wish: ClockWish): Promise<ClockOrigin | undefined> {
  const client = new pg.Client({ connectionString: ownerUrl, application_name: 'provender clock' });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [PLATFORM_SCHEMA_LOCK]);
    const stored = await readOrigin(client);
    const origin = originOf(wish, stored);
    if (origin === undefined || origin === stored) return origin;
    await client.query(MAKE);
    await client.query(WRITE, [origin.wall, origin.business, origin.rate]);
    return origin;
  } finally {
    await client.end();
  }
}

/** How far processes of one installation may differ in what they take for the wall's time. */
const WALL_TOLERANCE_MILLISECONDS = 1_000;

function originOf({ rate, origin }: ClockWish, stored: ClockOrigin | undefined): ClockOrigin | undefined {
  if (origin !== undefined) {
    const wished = { ...origin, rate };
    if (stored !== undefined) refuseStepBack(wished, stored);
    return wished;
  }
  if (stored === undefined && rate === 1) return undefined;
  if (stored?.rate === rate) return stored;
  const wall = Date.now();
  return { wall, business: stored === undefined ? wall : scaledClock(stored).now(), rate };
}

function refuseStepBack(wished: ClockOrigin, stored: ClockOrigin): void {
  const [now, before] = [scaledClock(wished).now(), scaledClock(stored).now()];
  if (now + WALL_TOLERANCE_MILLISECONDS * wished.rate >= before) return;
  throw new Error(
    `PROVENDER_CLOCK: business time would go back to ${formatInstant(now)}; ` +
      `in this database it has come to ${formatInstant(before)}.`,
  );
}

/**
 * Business time as an installation has it, for a command that only looks: at the stored rate, and nothing is written.
 */
export async function readClock(ownerUrl: string): Promise<Clock> {
  const client = new pg.Client({ connectionString: ownerUrl, application_name: 'provender clock' });
  await client.connect();
  try {
    const stored = await readOrigin(client);
    return stored === undefined ? realClock() : scaledClock(stored);
  } finally {
    await client.end();
  }
}

async function readOrigin(client: pg.Client): Promise<ClockOrigin | undefined> {
  const { rows: tables } = await client.query<{ there: boolean }>(
    "SELECT to_regclass('platform.clock') IS NOT NULL AS there",
  );
  if (tables[0]?.there !== true) return undefined;
  const { rows } = await client.query<Row>(READ);
  const [row] = rows;
  if (row === undefined) return undefined;
  return { wall: instant(Number(row.wall)), business: instant(Number(row.business)), rate: row.rate };
}
