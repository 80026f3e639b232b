import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Metrics } from '../telemetry.ts';
import { asyncApi } from './asyncapi.ts';
import { PROBLEM_CONTENT_TYPE, problem, problemBody } from './problem.ts';

const OPEN = { config: { access: 'anyone' as const, rateLimit: false as const }, schema: { hide: true } };

/** What the people who run the system ask for: is it alive, is it ready, how is it doing, and what does it speak. */
export function operationsRoutes(fastify: FastifyInstance, ready: () => Promise<boolean>, metrics: Metrics): void {
  fastify.get('/', OPEN, (_request, reply) => reply.type('text/html; charset=utf-8').send(LANDING_PAGE));
  fastify.get('/health/live', OPEN, () => ({ status: 'live' }));
  fastify.get('/health/ready', OPEN, async (_request, reply) =>
    (await isReady(ready)) ? { status: 'ready' } : notReady(reply),
  );
  fastify.get('/metrics', OPEN, async (_request, reply) => {
    const text = await metrics.registry.metrics();
    return reply.type(metrics.registry.contentType).send(text);
  });
  let openApiText: string | undefined;
  fastify.get('/openapi.json', OPEN, (_request, reply) => {
    openApiText ??= JSON.stringify(fastify.swagger());
    return reply.type('application/json; charset=utf-8').send(openApiText);
  });
  const asyncApiText = JSON.stringify(asyncApi());
  fastify.get('/asyncapi.json', OPEN, (_request, reply) =>
    reply.type('application/json; charset=utf-8').send(asyncApiText),
  );
}

/** A check that fails is an answer too: not ready. */
async function isReady(ready: () => Promise<boolean>): Promise<boolean> {
  try {
    return await ready();
  } catch {
    return false;
  }
}

function notReady(reply: FastifyReply): FastifyReply {
  const refusal = problem('unavailable', { detail: 'Not ready yet.' });
  return reply.code(503).header('retry-after', '1').type(PROBLEM_CONTENT_TYPE).send(problemBody(refusal, 503));
}

const LANDING_PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Provender</title></head>
<body>
<h1>Provender</h1>
<p>Bake it, stock it, sell it, vend it: every item counted once.</p>
<p>This server speaks HTTP and JSON; it has no pages for people yet.</p>
<ul>
<li><a href="/docs">The API, to read and to try</a></li>
<li><a href="/openapi.json">The API as an OpenAPI document</a></li>
<li><a href="/asyncapi.json">The events as an AsyncAPI document</a></li>
<li><a href="/health/ready">Is it ready?</a> · <a href="/metrics">Metrics</a></li>
</ul>
</body>
</html>
`;
