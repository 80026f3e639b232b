import type { ContextName } from '@provender/contracts';
import type { Instant } from '@provender/kernel';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Static, TObject, TSchema } from 'typebox';
import type { Clock } from '../clock.ts';
import type { Database, Tx } from '../database.ts';
import type { Access, CallerOf } from './access.ts';
import type { Idempotency } from './idempotency.ts';
import type { CommonProblem, Problems, Refused } from './problem.ts';
import type { HoldingToken } from './tokens.ts';

/** What a context registers its routes on. Made by the server for one context. */
export type HttpApp = {
  readonly context: ContextName | 'operations';
  readonly fastify: FastifyInstance;
  readonly clock: Clock;
  readonly idempotency: Idempotency;
  /** What goes on to hold of the request's token, for an answer that lasts. */
  readonly holding: (request: FastifyRequest) => HoldingToken | undefined;
  /**
   * Waits, for two seconds at most, until the contexts of this process have consumed what this one, or the one that is
   * named, has appended.
   */
  readonly settled: (source?: ContextName) => Promise<void>;
  /** A scope in which bodies are form-encoded and nothing else, for what RFC 6749 says about the token route. */
  readonly forms: (register: (scope: FastifyInstance) => void) => void;
};

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
export type ResponseSchemas = Readonly<Record<number, TSchema>>;
/** The parameters of a route that has none. */
export type NoMembers = TObject<Record<never, never>>;

/** A body as a handler may hand it over: readonly, and an optional member may be there with the value undefined. */
export type Rendered<Value> = Value extends readonly (infer Item)[]
  ? readonly Rendered<Item>[]
  : Value extends object
    ? {
        readonly [Key in keyof Value]: Record<never, never> extends Pick<Value, Key>
          ? Rendered<Value[Key]> | undefined
          : Rendered<Value[Key]>;
      }
    : Value;

/** A status with its body (undefined for 204) and headers. */
export type Answer<Status extends number = number, Body = unknown> = {
  readonly status: Status;
  readonly body: Body;
  readonly headers: Readonly<Record<string, string>>;
};

/** A body that is JSON already, with a tag of its content: whoever has that content is answered 304. */
export type ReadyJson = { readonly [ready]: true; readonly json: Buffer; readonly etag: string };
export const ready = Symbol('ready');

/** Every answer that a route's response schemas allow. */
export type AnswerOf<Responses extends ResponseSchemas> = {
  [Status in keyof Responses & number]: Answer<
    Status,
    Status extends 204 ? undefined : Rendered<Static<Responses[Status]>>
  >;
}[keyof Responses & number];

export type RefusedOf<Kinds extends Problems> = Refused<(keyof Kinds & string) | CommonProblem>;

type RouteFrame<Admitted extends Access, Kinds extends Problems> = {
  readonly url: string;
  readonly access: Admitted;
  /** One line for the API's documentation. */
  readonly summary: string;
  readonly description?: string;
  /** Kinds of refusals with their statuses, beside the common ones. */
  readonly problems?: Kinds;
  /** Stricter than the general limit. */
  readonly rateLimit?: RouteRateLimit;
};

/** So many requests in a window of wall time, per caller or, where nobody is signed in, per address. */
export type RouteRateLimit = { readonly max: number; readonly timeWindow: number };

export type RouteRequest<Admitted extends Access, Params, Query, Body> = {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly caller: CallerOf<Admitted>;
  /** Business time when the request came in. */
  readonly now: Instant;
  /** W3C trace context, for what follows from the request. The transaction of a `write` has it already. */
  readonly traceparent: string;
};

export type ReadRoute<
  Admitted extends Access,
  Params extends TSchema,
  Query extends TSchema,
  Body extends TSchema,
  Kinds extends Problems,
> = RouteFrame<Admitted, Kinds> & {
  readonly method: 'GET';
  readonly schema: { readonly params?: Params; readonly querystring?: Query; readonly response: Body };
  readonly handle: (
    request: Omit<RouteRequest<Admitted, Static<Params>, Static<Query>, never>, 'body'>,
  ) => Promise<Rendered<Static<Body>> | ReadyJson | RefusedOf<NoInfer<Kinds>>>;
};

export type ChangeSchema<
  Params extends TSchema,
  Query extends TSchema,
  Body extends TSchema,
  Responses extends ResponseSchemas,
> = {
  readonly params?: Params;
  readonly querystring?: Query;
  /** Without one, a request may have no body but `{}`. */
  readonly body?: Body;
  readonly response: Responses;
};

export type WriteRoute<
  Admitted extends Access,
  Params extends TSchema,
  Query extends TSchema,
  Body extends TSchema,
  Responses extends ResponseSchemas,
  Kinds extends Problems,
  Prepared,
> = RouteFrame<Admitted, Kinds> & {
  readonly method: Exclude<Method, 'GET'>;
  readonly schema: ChangeSchema<Params, Query, Body, Responses>;
  readonly db: Database;
  /** Slow work before the transaction, such as hashing a password; the handler gets what it gives. */
  readonly prepare?: (
    request: RouteRequest<Admitted, Static<Params>, Static<Query>, Static<Body>>,
  ) => Promise<Prepared>;
  /** The answer holds a secret: it is kept encrypted for repeats. */
  readonly secret?: boolean;
  readonly handle: (
    request: RouteRequest<Admitted, Static<Params>, Static<Query>, Static<Body>>,
    tx: Tx,
    prepared: Prepared,
  ) => Promise<AnswerOf<Responses> | RefusedOf<NoInfer<Kinds>>>;
};

/** The caller's Idempotency-Key with what binds it to one request. */
export type KeyedRequest = {
  readonly key: string;
  /** Caller, method and route in one text: the same key in another scope is another key. */
  readonly scope: string;
  /** Of the address and the body: the same key with another hash is refused as `idempotency-key-reused`. */
  readonly requestHash: Buffer;
};

export type CommandRequest<Admitted extends Access, Params, Query, Body> = RouteRequest<
  Admitted,
  Params,
  Query,
  Body
> & {
  readonly idempotency: KeyedRequest | undefined;
  /** `Prefer: respond-async` was sent. */
  readonly prefersAsync: boolean;
};

export type CommandRoute<
  Admitted extends Access,
  Params extends TSchema,
  Query extends TSchema,
  Body extends TSchema,
  Responses extends ResponseSchemas,
  Kinds extends Problems,
> = RouteFrame<Admitted, Kinds> & {
  readonly method: Exclude<Method, 'GET'>;
  readonly schema: ChangeSchema<Params, Query, Body, Responses>;
  readonly handle: (
    request: CommandRequest<Admitted, Static<Params>, Static<Query>, Static<Body>>,
  ) => Promise<AnswerOf<Responses> | RefusedOf<NoInfer<Kinds>>>;
};
