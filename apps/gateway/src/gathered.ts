import { CONTEXT_NAMES, type ContextName } from '@provender/contracts';
import { type HttpServer, sendProblem } from '@provender/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Forwarding } from './forward.ts';
import { passedOn } from './headers.ts';

const ASK_MILLISECONDS_MAX = 10_000;
const RETRY_AFTER = { 'retry-after': '1' } as const;
const LISTS = ['/api/events/consumers', '/api/events/parked'] as const;
const RELEASES = ['/api/events/parked/:id/retry', '/api/events/parked/:id/drop'] as const;
const OPEN = { config: { access: 'anyone' as const }, schema: { hide: true } };

type Heard = { readonly context: ContextName; readonly answer: Response | undefined };

/**
 * What every context answers for itself, put together: lists of all, and what is done to one parked event by the
 * context that has parked it. Each context judges the caller by itself.
 */
export function gatherOperations({ fastify }: HttpServer, { upstreams, gatewaySecret }: Forwarding): void {
  const contexts = CONTEXT_NAMES.filter((name) => upstreams.names.includes(name));

  async function ask(context: ContextName, request: FastifyRequest): Promise<Heard> {
    const address = upstreams.choose(context);
    if (address === undefined) return { context, answer: undefined };
    const { 'content-length': _length, 'content-type': _type, ...headers } = request.headers;
    const passed = Object.entries(passedOn(request, headers, gatewaySecret));
    const answer = await fetch(`${address}${request.url}`, {
      method: request.method,
      headers: passed.flatMap(([name, value]) =>
        typeof value === 'string' ? [[name, value] as [string, string]] : [],
      ),
      signal: AbortSignal.timeout(ASK_MILLISECONDS_MAX),
      redirect: 'error',
    }).catch(() => undefined);
    return { context, answer };
  }

  for (const url of LISTS) {
    fastify.get(url, OPEN, async (request, reply) => {
      const heard = await Promise.all(contexts.map((context) => ask(context, request)));
      return joined(reply, heard);
    });
  }
  for (const url of RELEASES) {
    fastify.post(url, OPEN, async (request, reply) => {
      let last: Response | undefined;
      let isOneAway = false;
      for (const context of contexts) {
        const { answer } = await ask(context, request);
        if (answer === undefined || answer.status === 503) isOneAway = true;
        else if (answer.status !== 404) return relay(reply, answer);
        else last = answer;
      }
      return last === undefined || isOneAway ? away(reply) : relay(reply, last);
    });
  }
}

/** One list of all; who did not answer is named, so that nobody takes silence for nothing parked. */
async function joined(reply: FastifyReply, heard: readonly Heard[]): Promise<FastifyReply> {
  const refusal = heard.find(({ answer }) => answer !== undefined && answer.status >= 400 && answer.status < 500);
  if (refusal?.answer !== undefined) return relay(reply, refusal.answer);
  const lists = await Promise.all(
    heard.map(async ({ context, answer }) => ({ context, items: await itemsOf(answer) })),
  );
  const missing = lists.flatMap(({ context, items }) => (items === undefined ? [context] : []));
  if (missing.length === lists.length) return away(reply);
  const items = lists.flatMap((list) => list.items ?? []);
  return reply.send(missing.length === 0 ? { items } : { items, missing });
}

async function itemsOf(answer: Response | undefined): Promise<readonly unknown[] | undefined> {
  if (answer?.ok !== true) return undefined;
  const body: unknown = await answer.json().catch(() => undefined);
  const isList = typeof body === 'object' && body !== null && 'items' in body && Array.isArray(body.items);
  return isList ? (body.items as readonly unknown[]) : undefined;
}

const RELAYED_HEADERS = ['content-type', 'retry-after', 'www-authenticate', 'idempotency-replayed'] as const;

async function relay(reply: FastifyReply, answer: Response): Promise<FastifyReply> {
  for (const name of RELAYED_HEADERS) {
    const value = answer.headers.get(name);
    if (value !== null) reply.header(name, value);
  }
  return reply.code(answer.status).send(await answer.text());
}

function away(reply: FastifyReply): FastifyReply {
  return sendProblem(
    reply,
    'unavailable',
    'Not every context can be asked right now. Try again in a moment.',
    RETRY_AFTER,
  );
}
