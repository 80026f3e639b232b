import type { VendStatus } from '@provender/contracts';
import { formatInstant } from '@provender/kernel';
import { type Query, statement } from '@provender/platform';
import type { Starter, VendSession, VendStep } from '../domain/session.ts';

const COLUMNS = `id, machine_id AS "machineId", site_id AS "siteId", starter_kind AS "starterKind",
  starter_id AS "starterId", status`;

const INSERT_SESSION = statement(
  'insert-session',
  `INSERT INTO sessions (id, machine_id, site_id, starter_kind, starter_id, status) VALUES ($1, $2, $3, $4, $5, $6)`,
);
const SET_STATUS = statement('set-session-status', 'UPDATE sessions SET status = $2 WHERE id = $1');
// The session's machine is locked, so that no two steps are numbered at once.
const INSERT_STEP = statement(
  'insert-session-step',
  `INSERT INTO session_history (session_id, seq, status, cause, at)
   SELECT $1, coalesce(max(seq), 0) + 1, $2, $3, $4 FROM session_history WHERE session_id = $1`,
);
const SESSION = statement('session', `SELECT ${COLUMNS} FROM sessions WHERE id = $1`);
const STEPS = statement(
  'session-steps',
  'SELECT status, cause, at FROM session_history WHERE session_id = $1 ORDER BY seq',
);

type SessionRow = {
  readonly id: string;
  readonly machineId: string;
  readonly siteId: string;
  readonly starterKind: Starter['kind'];
  readonly starterId: string;
  readonly status: VendStatus;
};

/** Writes down a session that has just begun, with the first step of its history. */
export async function insertSession(db: Query, session: VendSession, step: VendStep): Promise<void> {
  const { id, machineId, siteId, starter, status } = session;
  await db.query(INSERT_SESSION, [id, machineId, siteId, starter.kind, starter.id, status]);
  await addStep(db, id, step);
}

/** Brings a session to another status, and writes into its history when and why. */
export async function moveSession(db: Query, id: string, step: VendStep): Promise<void> {
  await db.query(SET_STATUS, [id, step.status]);
  await addStep(db, id, step);
}

async function addStep(db: Query, id: string, { status, cause, at }: VendStep): Promise<void> {
  await db.query(INSERT_STEP, [id, status, cause, formatInstant(at)]);
}

export async function readSession(db: Query, id: string): Promise<VendSession | undefined> {
  const [row] = await db.query<SessionRow>(SESSION, [id]);
  if (row === undefined) return undefined;
  const { starterKind, starterId, ...session } = row;
  return { ...session, starter: { kind: starterKind, id: starterId } };
}

/** What a session went through, first things first. */
export function readSteps(db: Query, id: string): Promise<VendStep[]> {
  return db.query<VendStep>(STEPS, [id]);
}
