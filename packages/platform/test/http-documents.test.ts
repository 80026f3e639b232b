import { CONTEXT_NAMES, eventSchemas } from '@provender/contracts';
import { Value } from 'typebox/value';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HttpServer } from '../src/http/index.ts';
import { openToyHttp } from './http-toy.ts';

type Json = { readonly [name: string]: Json };

let server: HttpServer;
let openApi: Json;
let asyncApi: Json;

beforeAll(async () => {
  server = await openToyHttp();
  openApi = (await server.fastify.inject('/openapi.json')).json() as Json;
  asyncApi = (await server.fastify.inject('/asyncapi.json')).json() as Json;
});

afterAll(() => server.stop());

/** Every `$ref` anywhere in a document. */
function references(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = '$ref' in value && typeof value.$ref === 'string' ? [value.$ref] : [];
  return [...own, ...Object.values(value).flatMap(references)];
}

function resolve(document: Json, reference: string): unknown {
  const parts = reference.replace(/^#\//, '').split('/');
  return parts.reduce<Json | undefined>((part, name) => part?.[name], document);
}

/** References to parts that are not there. */
function dangling(document: Json): string[] {
  return references(document).filter((reference) => resolve(document, reference) === undefined);
}

function operations(): [string, Json][] {
  return Object.entries(openApi.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Json] => [`${method} ${path}`, operation]),
  );
}

describe('given the OpenAPI document', () => {
  it('when it is read, then it is 3.1 and knows the access token', () => {
    expect(openApi.openapi).toBe('3.1.0');
    expect(openApi.components?.securitySchemes).toMatchObject({ accessToken: { type: 'http', scheme: 'bearer' } });
  });

  it('when its operations are compared with the routes, then every route under /api is there', () => {
    const wanted = server
      .routes()
      .filter(({ url }) => url.startsWith('/api/'))
      .map(({ method, url }) => `${method.toLowerCase()} ${url.replace(/:(\w+)/g, '{$1}')}`);
    expect(
      operations()
        .map(([name]) => name)
        .sort(),
    ).toEqual(wanted.sort());
  });

  it('when an operation is read, then it has a unique id, a summary, answers, its problems and who may call it', () => {
    const ids = operations().map(([, operation]) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toContain('postToysByIdBreak');
    for (const [name, { summary, security, responses, ...operation }] of operations()) {
      const statuses = Object.keys(responses ?? {});
      const hasSuccess = statuses.some((status) => status.startsWith('2'));
      const told = { name, summary, security, access: operation['x-access'], hasSuccess, statuses };
      expect(told).toEqual({
        name,
        summary: expect.any(String),
        security: expect.any(Array),
        access: expect.anything(),
        hasSuccess: true,
        statuses: expect.arrayContaining(['400', '429', '500', '503']),
      });
    }
  });

  it('when a route lists a problem of its own, then it is there with an example', () => {
    const conflict = openApi.paths?.['/api/toys']?.post?.responses?.['409'];
    expect(JSON.stringify(conflict)).toContain('/problems/toy-taken');
    expect(Object.keys(conflict?.content ?? {})).toEqual(['application/problem+json']);
  });

  it('when a body is described, then with an example of the least that fits it', () => {
    const media = openApi.paths?.['/api/toys']?.post?.requestBody?.content?.['application/json'] as Json;
    const example = media.example ?? media.schema?.examples?.[0];
    expect(example).toEqual({ name: 'Rye bread', quantity: 2, staleAt: '2026-11-21T08:30:00.000Z' });
    expect(media.schema?.additionalProperties).toBe(false);
  });

  it('when it refers to a part of itself, then the part is there; a path names its parameters', () => {
    expect(dangling(openApi)).toEqual([]);
    for (const [name, operation] of operations()) {
      const inPath = [...name.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      const parameters = Object.values(operation.parameters ?? {}) as unknown as { in: string; name: string }[];
      expect(parameters.filter((each) => each.in === 'path').map((each) => each.name)).toEqual(inPath);
    }
  });
});

describe('given the AsyncAPI document', () => {
  it('when it is read, then it is 3.0.0 with a channel and an operation per context', () => {
    expect(asyncApi.asyncapi).toBe('3.0.0');
    expect(Object.keys(asyncApi.channels ?? {})).toEqual([...CONTEXT_NAMES]);
    const said = Object.values(asyncApi.operations ?? {});
    expect(said.map(({ action }) => action)).toEqual(CONTEXT_NAMES.map(() => 'send'));
  });

  it('when its messages are listed, then every type of event is there once, in the channel of its context', () => {
    const types = Object.values(asyncApi.channels ?? {}).flatMap((channel) => Object.keys(channel.messages ?? {}));
    expect(types.sort()).toEqual(Object.keys(eventSchemas).sort());
    expect(Object.keys(asyncApi.components?.messages ?? {}).sort()).toEqual(types);
  });

  it('when it refers to a part of itself, then the part is there', () => {
    const all = references(asyncApi);
    expect(all.length).toBeGreaterThan(Object.keys(eventSchemas).length);
    expect(dangling(asyncApi)).toEqual([]);
  });

  it.each(Object.entries(eventSchemas))('when the example of %s is read, then it is such an event', (type, schema) => {
    const example = asyncApi.components?.messages?.[type]?.examples?.[0]?.payload;
    expect(example).toMatchObject({ specversion: '1.0', type, source: type.split('.')[0], position: 1 });
    expect(Value.Errors(schema, example?.data)).toEqual([]);
  });
});

describe('given the page of the documentation', () => {
  it('when it is loaded, then all it loads is on this server and its policy says so', async () => {
    const page = await server.fastify.inject('/docs');
    expect(page.statusCode).toBe(200);
    expect(page.body).not.toMatch(/(src|href)="https?:/);
    expect(page.headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'");
    for (const [, path = ''] of page.body.matchAll(/(?:src|href)="([^"]+)"/g)) {
      const { statusCode } = await server.fastify.inject(path);
      expect({ path, statusCode }).toEqual({ path, statusCode: 200 });
    }
  });
});
