import {
  ConsumersView,
  type ContextName,
  IdParams,
  ParkedView,
  ReleasedView,
  VerificationView,
} from '@provender/contracts';
import { formatInstant, instant } from '@provender/kernel';
import {
  answer,
  command,
  consumerPositions,
  dropParked,
  type HttpApp,
  type HttpServer,
  listParked,
  type ParkedEvent,
  problem,
  read,
  retryParked,
  type RunningContext,
  STRICT_LIMIT,
} from '@provender/platform';
import type { System } from './system.ts';
import { verifyPromises } from './verify/run-checks.ts';

export type Operations = { readonly system: System; readonly databaseUrl: string };

/** What managers and operators ask of the system as a whole: lag, parked events, and whether every promise holds. */
export function operationsRoutes(http: HttpServer, operations: Operations): void {
  const app = http.app('operations');
  consumerRoutes(app, operations.system);
  parkedRoutes(app, operations.system);
  read(app, {
    method: 'GET',
    url: '/api/verify',
    access: ['manager'],
    summary: 'Checks every promise on the live data, now',
    rateLimit: STRICT_LIMIT,
    schema: { response: VerificationView },
    async handle() {
      const { system, databaseUrl } = operations;
      const outcome = await verifyPromises({ databaseUrl, clock: system.clock });
      return { ...outcome, checks: outcome.checks.map((check) => ({ ...check, violations: [...check.violations] })) };
    },
  });
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
        [...system.contexts.values()].map(async ({ context, db, reactor }) => {
          const positions = await consumerPositions(db, reactor.sources);
          return positions.map((each) => ({ consumer: context, ...each, lag: each.head - each.position }));
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
  for (const [action, release, summary] of [
    ['retry', retryParked, 'Handles a parked event again, and those of its subject behind it'],
    ['drop', dropParked, 'Gives a parked event up for good, and handles those of its subject behind it'],
  ] as const) {
    command(app, {
      method: 'POST',
      url: `/api/events/parked/:id/${action}`,
      access: ['manager'],
      summary,
      schema: { params: IdParams, response: { 200: ReleasedView } },
      problems: { 'still-failing': 409 },
      handle: ({ params }) => releaseParked(system, params.id, release),
    });
  }
}

/** A repeat finds nothing parked any more and says so, so it needs no key to be safe. */
async function releaseParked(system: System, id: string, release: typeof retryParked) {
  const running = await contextOfParked(system, id);
  if (running === undefined) return problem('not-found', { detail: 'No such event is parked.' });
  const { db, open, reactor } = running;
  try {
    const handled = await release(db, open.reactions ?? {}, id);
    reactor.wake();
    if (handled === undefined) return problem('not-found', { detail: 'No such event is parked.' });
    return answer(200, { handled });
  } catch (error) {
    const detail = 'It could not be handled this time either; the list of parked events says why.';
    system.log.warn({ err: error, parked: id }, 'A parked event failed again');
    return problem('still-failing', { detail });
  }
}

async function contextOfParked(system: System, id: string): Promise<RunningContext | undefined> {
  for (const running of system.contexts.values()) {
    const parked = await listParked(running.db);
    if (parked.some((each) => each.id === id)) return running;
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
