import { CONTEXT_NAMES } from '@provender/contracts';
import { asyncApi, type Documents, type UpstreamName } from '@provender/platform';
import type { Upstreams } from './upstreams.ts';

type Json = Record<string, unknown>;

const FRESH_MILLISECONDS = 10_000;
const ANSWER_MILLISECONDS_MAX = 5_000;

/**
 * The documents of all contexts as one. Each context's own is read again when somebody asks; of one that is away, what
 * it said last goes on standing. Before anything was ever read, the document has no routes.
 */
export function joinDocuments(upstreams: Upstreams): Documents {
  const contexts = CONTEXT_NAMES.filter((name) => upstreams.names.includes(name));
  const events = asyncApi(contexts);
  const known = new Map<UpstreamName, Json>();
  let document: Json = FRAME;
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;

  async function read(name: UpstreamName): Promise<void> {
    const address = upstreams.choose(name);
    if (address === undefined) return;
    const signal = AbortSignal.timeout(ANSWER_MILLISECONDS_MAX);
    const answer = await fetch(`${address}/openapi.json`, { signal, redirect: 'error' }).catch(() => undefined);
    const body: unknown = answer?.ok === true ? await answer.json().catch(() => undefined) : undefined;
    if (isJson(body) && isJson(body['paths'])) known.set(name, body);
  }

  async function readAll(): Promise<void> {
    await Promise.all(upstreams.names.map(read));
    document = joined(upstreams.names.map((name) => known.get(name) ?? {}));
    readAt = performance.now();
  }

  return {
    openApi: () => document,
    asyncApi: () => events,
    async refresh() {
      if (performance.now() - readAt < FRESH_MILLISECONDS && known.size === upstreams.names.length) return;
      reading ??= readAll().finally(() => {
        reading = undefined;
      });
      await reading;
    },
  };
}

const FRAME: Json = { openapi: '3.1.0', info: { title: 'Provender', version: '1.0.0' }, paths: {} };

/**
 * Puts documents together. What several have, such as the operations that the gateway gathers, stands there once;
 * parts of one name and another content would be a fault of the contracts, which are shared.
 */
function joined(documents: readonly Json[]): Json {
  const first = documents.find((document) => 'info' in document) ?? FRAME;
  const components: Json = {};
  for (const document of documents) {
    for (const [kind, parts] of Object.entries(membersOf(document, 'components'))) {
      if (isJson(parts)) components[kind] = { ...parts, ...membersOf(components, kind) };
    }
  }
  const paths: Json = {};
  for (const document of documents) {
    for (const [path, methods] of Object.entries(membersOf(document, 'paths'))) {
      if (isJson(methods)) paths[path] = { ...methods, ...membersOf(paths, path) };
    }
  }
  return { ...first, paths, components };
}

function membersOf(document: Json, name: string): Json {
  const member = document[name];
  return isJson(member) ? member : {};
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
