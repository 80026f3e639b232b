import './fastify-types.ts';
import type { ServerResponse } from 'node:http';
import type { TSchema } from 'typebox';
import type { Access, SignedInCaller } from './access.ts';
import { sendRefusal } from './answers.ts';
import { commonProblems, isRefused, type Refused, sendProblem } from './problem.ts';
import { queryReader } from './query-text.ts';
import type { HttpApp } from './route-types.ts';

export const EVENT_STREAM_CONTENT_TYPE = 'text/event-stream; charset=utf-8';

export type EventStreamRoute = {
  readonly url: string;
  readonly access: Exclude<Access, 'anyone'>;
  readonly summary: string;
  readonly description: string;
  readonly querystring: TSchema;
  /** Refuses, or gives what writes to the response once its head is out. */
  readonly open: (request: {
    readonly query: unknown;
    readonly caller: SignedInCaller;
    readonly lastEventId: string | undefined;
    /** Who the caller still is whenever that is asked: the stream outlives what its token said. */
    readonly callerNow: () => SignedInCaller;
    /** When the caller's token ends (wall time), and the stream should with it. */
    readonly expiresAt: number;
  }) => Promise<Refused | ((response: ServerResponse) => Promise<void>)>;
};

/** Registers a GET whose answer does not end: Server-Sent Events, written by whoever opened it. */
export function streamEvents(app: HttpApp, route: EventStreamRoute): void {
  const readQuery = queryReader(route.querystring);
  const stream = { type: 'string', description: 'Server-Sent Events' } as const;
  const content = { 'text/event-stream': { schema: stream } };
  app.fastify.route({
    method: 'GET',
    url: route.url,
    // A HEAD would begin a stream that nobody reads.
    exposeHeadRoute: false,
    schema: {
      summary: route.summary,
      description: route.description,
      tags: [app.context],
      params: { type: 'object', properties: {}, additionalProperties: false },
      querystring: route.querystring,
      response: { 200: { description: 'Events, until one of the two ends it', content } },
    },
    config: { access: route.access, problems: {}, readsCaller: true },
    preValidation(request, reply, done) {
      const refusal = readQuery(request);
      if (refusal === undefined) done();
      else sendRefusal(reply, refusal, commonProblems);
    },
    async handler(request, reply) {
      const { query, caller, headers } = request;
      const lastEventId = [headers['last-event-id']].flat()[0];
      const token = app.holding(request);
      if (token === undefined) return sendProblem(reply, 'unauthenticated', 'The access token is no longer valid.');
      // The access check has just let nobody in who is not signed in.
      const opened = await route.open({ query, caller: caller as SignedInCaller, lastEventId, ...token });
      if (isRefused(opened)) return sendRefusal(reply, opened, commonProblems);
      reply.hijack();
      const { raw } = reply;
      // Proxies that gather answers would hold back what is to be heard at once; and once the stream has ended, nothing
      // else comes on this connection, so that a server that stops need not wait for it.
      const own = { 'content-type': EVENT_STREAM_CONTENT_TYPE, 'x-accel-buffering': 'no', connection: 'close' };
      raw.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...own });
      raw.flushHeaders();
      try {
        await opened(raw);
      } catch (error) {
        request.log.warn({ err: error }, 'A stream of events broke off');
        raw.destroy();
      }
    },
  });
}
