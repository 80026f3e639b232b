import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Metrics } from '../telemetry.ts';
import { asyncApi } from './asyncapi.ts';
import { sendProblem } from './problem.ts';

const OPEN = { config: { access: 'anyone' as const, rateLimit: false as const }, schema: { hide: true } };

/** How the API and the events are described to whoever asks. */
export type Documents = {
  /** The OpenAPI document, as it is known now. */
  openApi(): Record<string, unknown>;
  asyncApi(): unknown;
  /** Called before either is asked for: whoever joins the documents of others looks at them again. */
  refresh(): Promise<void>;
};

/** Made from the routes of this server, and of all events. */
export function documentsOf(fastify: FastifyInstance): Documents {
  const events = asyncApi();
  return {
    // The library gives OpenAPI 3 as an object of its own type.
    openApi: () => fastify.swagger() as unknown as Record<string, unknown>,
    asyncApi: () => events,
    refresh: async () => {},
  };
}

type Operated = {
  readonly ready: () => Promise<boolean>;
  readonly metrics: Metrics;
  readonly documents: Documents;
};

/** What the people who run the system ask for: is it alive, is it ready, how is it doing, and what does it speak. */
export function operationsRoutes(fastify: FastifyInstance, { ready, metrics, documents }: Operated): void {
  fastify.get('/', OPEN, (_request, reply) => reply.type('text/html; charset=utf-8').send(LANDING_PAGE));
  fastify.get('/health/live', OPEN, () => ({ status: 'live' }));
  fastify.get('/health/ready', OPEN, async (_request, reply) =>
    (await isReady(ready)) ? { status: 'ready' } : notReady(reply),
  );
  fastify.get('/metrics', OPEN, async (_request, reply) => {
    const text = await metrics.registry.metrics();
    return reply.type(metrics.registry.contentType).send(text);
  });
  for (const [url, made] of [
    ['/openapi.json', documents.openApi],
    ['/asyncapi.json', documents.asyncApi],
  ] as const) {
    const written = writtenOnce(made);
    fastify.get(url, OPEN, async (_request, reply) => {
      await documents.refresh();
      return reply.type('application/json; charset=utf-8').send(written());
    });
  }
}

/** The text of a document, written again only where it is another one. */
function writtenOnce(made: () => unknown): () => string {
  let last: unknown;
  let text = '';
  return () => {
    const document = made();
    if (document !== last) {
      last = document;
      text = JSON.stringify(document);
    }
    return text;
  };
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
  return sendProblem(reply, 'unavailable', 'Not ready yet.', { 'retry-after': '1' });
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
