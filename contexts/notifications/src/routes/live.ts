import type { ServerResponse } from 'node:http';
import { LIVE_TOPICS, LiveQuery, type LiveTopic } from '@provender/contracts';
import { type Milliseconds, MINUTE, SECOND } from '@provender/kernel';
import {
  actsAs,
  afterWall,
  type Caller,
  callerName,
  everyWall,
  type HttpApp,
  problem,
  streamEvents,
  wallNow,
} from '@provender/platform';
import { type Hearing, type LivePlace, parsePlace } from '../domain/live.ts';
import type { Line, LiveHub } from '../live/hub.ts';
import { openSeats, type Seats } from '../live/seats.ts';

/** Beyond it, whoever asks is to try another process. */
const LISTENERS_MAX = 5_000;
/** So many pages of one person may be open at once; nobody takes the places of all others. */
const LISTENERS_PER_CALLER_MAX = 20;
/** Whoever listens for longer comes back: with a new token, and perhaps to another process. */
const LISTEN_MAX: Milliseconds = 15 * MINUTE;
/** Roles may have been taken away meanwhile; each look is at this process's memory only. */
const LOOK_AT_ROLES_EVERY: Milliseconds = 2 * SECOND;
const DRAIN_MAX: Milliseconds = 10 * SECOND;

/** Lets people listen to what happens, by Server-Sent Events. */
export function liveRoutes(app: HttpApp, hub: LiveHub): void {
  const seats = openSeats();
  app.fastify.addHook('preClose', (done) => {
    hub.close();
    done();
  });
  streamEvents(app, {
    url: '/api/live',
    access: 'signed-in',
    summary: 'What happens to orders and stock, as it happens (Server-Sent Events)',
    description:
      'Customers hear of their own orders, staff of every site. Each event has an id; whoever sends the last one ' +
      'that was heard as `Last-Event-ID` gets what was said since, without a gap, or one event `reset` where nobody ' +
      'knows that any more: then read anew what is shown. The stream ends with its token, after a quarter of an hour ' +
      'at the latest: come back with a fresh one. Roles that are taken away count within seconds. Somebody who does ' +
      'not read is dropped; more than twenty streams of one caller are refused with 429.',
    querystring: LiveQuery,
    async open({ query, caller, lastEventId, callerNow, expiresAt }) {
      const from = lastEventId === undefined ? undefined : parsePlace(lastEventId);
      if (lastEventId !== undefined && from === undefined) {
        const errors = [{ pointer: '/last-event-id', detail: 'is no id of an event of this stream' }];
        return problem('invalid-request', { detail: 'Last-Event-ID is none that this stream has given.', errors });
      }
      if (seats.count() >= LISTENERS_MAX) {
        return problem('unavailable', { detail: 'Too many listen here already.' }, { 'retry-after': '5' });
      }
      if (seats.countOf(callerName(caller)) >= LISTENERS_PER_CALLER_MAX) {
        const detail = `You listen ${LISTENERS_PER_CALLER_MAX} times already. Close one of these streams first.`;
        return problem('too-many-requests', { detail }, { 'retry-after': '5' });
      }
      // The schema has just said what the query is.
      const hearingNow = () => hearingOf(callerNow(), query as LiveQuery);
      const visit = { name: callerName(caller), expiresAt, hearingNow, from };
      return (response: ServerResponse) => listen({ hub, seats }, visit, response);
    },
  });
}

function hearingOf(caller: Caller, { topics, siteId }: LiveQuery): Hearing {
  const asked = topics === undefined ? LIVE_TOPICS : LIVE_TOPICS.filter((topic) => topics.split(',').includes(topic));
  const isOfTheHouse = actsAs(caller, 'staff');
  const customerId = isOfTheHouse || caller.kind === 'anonymous' ? undefined : caller.id;
  return { customerId, topics: asked satisfies readonly LiveTopic[], siteId };
}

type Visit = {
  readonly name: string;
  readonly expiresAt: number;
  readonly hearingNow: () => Hearing;
  readonly from: LivePlace | undefined;
};

async function listen(
  { hub, seats }: { readonly hub: LiveHub; readonly seats: Seats },
  { name, expiresAt, hearingNow, from }: Visit,
  response: ServerResponse,
): Promise<void> {
  if (response.destroyed) return;
  const ending = [seats.take(name)];
  response.once('close', () => {
    for (const end of ending) end();
  });
  const lasts = Math.max(Math.min(LISTEN_MAX, expiresAt - wallNow()), 0);
  ending.push(
    afterWall(lasts, () => response.end()),
    // Whoever does not read what is still to be read does not hear that it has ended either.
    afterWall(lasts + DRAIN_MAX, () => response.destroy()),
  );
  const line: Line = Object.assign(response, { drained: () => drained(response) });
  const { hearAs, leave } = await hub.listen(hearingNow(), line, from);
  if (response.closed) return leave();
  ending.push(
    everyWall(LOOK_AT_ROLES_EVERY, () => hearAs(hearingNow())),
    leave,
  );
}

/** Resolves once what was written has gone out, or nobody reads it. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const relax = afterWall(DRAIN_MAX, () => resolve());
    const done = () => {
      relax();
      resolve();
    };
    response.once('drain', done);
    response.once('close', done);
  });
}
