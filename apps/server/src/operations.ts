import { ConsumersView, type ContextName, IdParams, ParkedView, ReleasedView } from '@provender/contracts';
import { formatInstant, instant } from '@provender/kernel';
import {
  answer,
  command,
  consumerPositions,
  dropAlone,
  type HttpApp,
  type HttpServer,
  isParked,
  isUnavailable,
  type KeyedRequest,
  listParked,
  noteParkedFailure,
  type ParkedEvent,
  problem,
  read,
  type Release,
  releaseParked,
  type RunningContext,
  type Tx,
} from '@provender/platform';
import type { System } from './system.ts';
import type { DatabaseUrls } from './verify/homes.ts';
import { verifyRoute } from './verify-route.ts';

export type Operations = {
  readonly system: System;
  /** Where all contexts can be looked at; undefined where this process reaches some of them only. */
  readonly databases: DatabaseUrls | undefined;
};

/** What managers and operators ask of the system as a whole: lag, parked events, and whether every promise holds. */
export function operationsRoutes(http: HttpServer, { system, databases }: Operations): void {
  const app = http.app('operations');
  consumerRoutes(app, system);
  parkedRoutes(app, system);
  if (databases !== undefined) verifyRoute(app, { databases, clock: system.clock });
}

function consumerRoutes(app: HttpApp, system: System): void {
  read(app, {
    method: 'GET',
    url: '/api/events/consumers',
    access: ['manager'],
    summary: 'How far each context is behind the logs that it listens to',
    schema: { response: ConsumersView },
    async handle() {
      const all = await Promise.all(
        [...system.contexts.values()].map(async (running) => {
          const positions = await consumerPositions(running);
          return positions.map((each) => ({ consumer: running.context, ...each, lag: each.head - each.position }));
        }),
      );
      return { items: all.flat() };
    },
  });
}

function parkedRoutes(app: HttpApp, system: System): void {
  read(app, {
    method: 'GET',
    url: '/api/events/parked',
    access: ['manager'],
    summary: 'Events that could not be handled, and those that wait behind them',
    schema: { response: ParkedView },
    async handle() {
      const all = await Promise.all(
        [...system.contexts.values()].map(async ({ context, db }) => {
          return (await listParked(db)).map((parked) => parkedView(context, parked));
        }),
      );
      return { items: all.flat() };
    },
  });
  for (const [action, summary] of [
    ['retry', 'Handles a parked event again, and those of its subject behind it'],
    ['drop', 'Gives a parked event up for good, and handles those of its subject behind it'],
  ] as const) {
    command(app, {
      method: 'POST',
      url: `/api/events/parked/:id/${action}`,
      access: ['manager'],
      summary,
      schema: { params: IdParams, response: { 200: ReleasedView } },
      problems: { 'still-failing': 409 },
      handle: ({ params, idempotency }) => release(system, app, { id: params.id, action, keyed: idempotency }),
    });
  }
}

type Wanted = { readonly id: string; readonly action: Release; readonly keyed: KeyedRequest | undefined };

const notParked = problem('not-found', { detail: 'No such event is parked.' });
const STILL_FAILING = 'It could not be handled this time either; the list of parked events says why.';

/**
 * Releases a parked event in the context that has parked it. A key is kept in the transaction that takes effect, so it
 * is there that a repeat is looked for; once the event is released, in all of them.
 */
async function release(system: System, app: HttpApp, wanted: Wanted) {
  const running = await contextOfParked(system, wanted.id);
  if (running === undefined) return (await repeated(system, app, wanted)) ?? notParked;
  const { db, open, reactor } = running;
  try {
    const outcome = await db.withTx(async (tx) => {
      const kept = await claimed(app, tx, wanted);
      if (kept !== undefined) return kept;
      const handled = await releaseParked(tx, open.reactions ?? {}, wanted.id, wanted.action);
      return handled === undefined ? notParked : await done(app, tx, wanted, handled);
    });
    reactor.wake();
    return outcome;
  } catch (error) {
    if (isUnavailable(error)) throw error;
    system.log.warn({ err: error, parked: wanted.id }, 'A parked event failed again');
    const outcome = await db.withTx((tx) => afterFailure(app, tx, wanted, error));
    reactor.wake();
    return outcome;
  }
}

/** What could not be handled stays parked, with the reason; what was to be dropped goes all the same. */
async function afterFailure(app: HttpApp, tx: Tx, wanted: Wanted, error: unknown) {
  if (wanted.action === 'drop') {
    const dropped = await dropAlone(tx, wanted.id, error);
    return dropped === undefined ? notParked : done(app, tx, wanted, dropped);
  }
  await noteParkedFailure(tx, wanted.id, error);
  if (wanted.keyed !== undefined) {
    await app.idempotency.keep(tx, wanted.keyed, { status: 409, body: '', headers: {} }, false);
  }
  return problem('still-failing', { detail: STILL_FAILING });
}

async function done(app: HttpApp, tx: Tx, { keyed }: Wanted, handled: number) {
  const kept = { status: 200, body: String(handled), headers: {} };
  if (keyed !== undefined) await app.idempotency.keep(tx, keyed, kept, false);
  return answer(200, { handled });
}

/** The first answer to a key, rendered again; undefined where there is none yet. */
async function claimed(app: HttpApp, tx: Tx, { keyed }: Wanted) {
  const claim = keyed === undefined ? undefined : await app.idempotency.claim(tx, keyed);
  if (claim === undefined || claim.kind === 'first') return undefined;
  if (claim.kind === 'refused') return claim.refusal;
  const { status, body } = claim.answer;
  if (status === 200) return answer(200, { handled: Number(body) }, REPLAYED);
  return problem('still-failing', { detail: STILL_FAILING }, REPLAYED);
}

const REPLAYED = { 'idempotency-replayed': 'true' };

async function repeated(system: System, app: HttpApp, wanted: Wanted) {
  for (const { db } of system.contexts.values()) {
    const kept = await db.withTx((tx) => claimed(app, tx, wanted));
    if (kept !== undefined) return kept;
  }
  return undefined;
}

async function contextOfParked(system: System, id: string): Promise<RunningContext | undefined> {
  for (const running of system.contexts.values()) {
    if (await isParked(running.db, id)) return running;
  }
  return undefined;
}

function parkedView(consumer: ContextName, parked: ParkedEvent) {
  const { id, source, position, event, subject, error, attempts, parkedAt } = parked;
  return {
    id,
    consumer,
    source,
    position,
    type: event.type,
    subject,
    ...(error === null ? {} : { error }),
    attempts,
    parkedAt: formatInstant(instant(parkedAt)),
  };
}
