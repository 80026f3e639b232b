import type { ServerResponse } from 'node:http';
import { LIVE_TOPICS, LiveQuery, type LiveTopic } from '@provender/contracts';
import { type Milliseconds, MINUTE, SECOND } from '@provender/kernel';
import { actsAs, afterWall, type Caller, type HttpApp, problem, streamEvents } from '@provender/platform';
import { type Hearing, type LivePlace, parsePlace } from '../domain/live.ts';
import type { Line, LiveHub } from '../live/hub.ts';

/** Beyond it, whoever asks is to try another process. */
const LISTENERS_MAX = 5_000;
/** A token ends some time, and with it what its bearer may hear: whoever still may comes back with a new one. */
const LISTEN_MAX: Milliseconds = 15 * MINUTE;
const DRAIN_MAX: Milliseconds = 10 * SECOND;

/** Lets people listen to what happens, by Server-Sent Events. */
export function liveRoutes(app: HttpApp, hub: LiveHub): void {
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
      'knows that any more: then read anew what is shown. The stream ends after a quarter of an hour: come back ' +
      'with a fresh token. Somebody who does not read is dropped.',
    querystring: LiveQuery,
    async open({ query, caller, lastEventId }) {
      const from = lastEventId === undefined ? undefined : parsePlace(lastEventId);
      if (lastEventId !== undefined && from === undefined) {
        const errors = [{ pointer: '/last-event-id', detail: 'is no id of an event of this stream' }];
        return problem('invalid-request', { detail: 'Last-Event-ID is none that this stream has given.', errors });
      }
      if (hub.listenerCount() >= LISTENERS_MAX) {
        return problem('unavailable', { detail: 'Too many listen here already.' }, { 'retry-after': '5' });
      }
      // The schema has just said what the query is.
      const hearing = hearingOf(caller, query as LiveQuery);
      return (response: ServerResponse) => listen(hub, hearing, response, from);
    },
  });
}

function hearingOf(caller: Caller, { topics, siteId }: LiveQuery): Hearing {
  const asked = topics === undefined ? LIVE_TOPICS : LIVE_TOPICS.filter((topic) => topics.split(',').includes(topic));
  const isOfTheHouse = actsAs(caller, 'staff');
  const customerId = isOfTheHouse || caller.kind === 'anonymous' ? undefined : caller.id;
  return { customerId, topics: asked satisfies readonly LiveTopic[], siteId };
}

async function listen(
  hub: LiveHub,
  hearing: Hearing,
  response: ServerResponse,
  from: LivePlace | undefined,
): Promise<void> {
  const line: Line = Object.assign(response, { drained: () => drained(response) });
  const leave = await hub.listen(hearing, line, from);
  const relax = afterWall(LISTEN_MAX, () => response.end());
  const ended = () => {
    relax();
    leave();
  };
  if (response.destroyed || response.writableEnded) ended();
  else response.once('close', ended);
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
