import type { Access, Caller } from './access.ts';
import type { Problems } from './problem.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who speaks, as the token says. Anonymous on routes registered without `read`, `write` or `command`. */
    caller: Caller;
    /** Where the request came from: what a gateway has proven, else the other end of the connection. */
    readonly callerAddress: string;
    /** W3C trace context: what the request brought, or new. */
    traceparent: string;
  }
  interface FastifyContextConfig {
    /** Who may call the route; a route under /api without it stops the start. */
    access?: Access;
    /** Kinds of refusals of the route, for the API's documentation. */
    problems?: Problems;
    /** Registered by `read`, `write` or `command`: the bearer token says who the caller is. */
    readsCaller?: boolean;
  }
}
