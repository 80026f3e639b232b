import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';

/** A request as the authorization server shall see it. */
export type OAuthRequest = {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Form-encoded; empty for GET. */
  readonly body: string;
  readonly authorization: string | undefined;
  readonly address: string;
};

export type OAuthAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: string;
};

export type OAuthExchange = {
  /** Takes one request through the library. Throws what broke inside it, so that the server's own rules answer. */
  handle(request: OAuthRequest): Promise<OAuthAnswer>;
};

const addresses = new WeakMap<object, string>();

/** The address that the HTTP layer has found for the request that the library is working on. */
export function addressOf(ctx: KoaContextWithOIDC): string {
  return addresses.get(ctx.req) ?? 'unknown';
}

/**
 * The library speaks to Node's request and response; our routes speak in values, so that hooks, limits, logs and error
 * documents work on these routes as on all others. Host and protocol are the issuer's, whatever the caller wrote.
 */
export function oauthExchange(provider: Provider): OAuthExchange {
  const callback = provider.callback();
  const failures = new WeakMap<object, unknown>();
  provider.on('server_error', (ctx: KoaContextWithOIDC, error: unknown) => failures.set(ctx.req, error));
  provider.proxy = true;

  return {
    async handle(wanted) {
      const request = requestFor(provider.issuer, wanted);
      addresses.set(request, wanted.address);
      const response = new ServerResponse(request);
      const body = await new Promise<string>((resolve, reject) => {
        // The response is never sent from here: what the library ends it with is the answer.
        response.end = (chunk?: unknown) => {
          resolve(typeof chunk === 'string' || Buffer.isBuffer(chunk) ? chunk.toString() : '');
          return response;
        };
        Promise.resolve(callback(request, response)).catch(reject);
      });
      const failure = failures.get(request);
      if (failure !== undefined) throw failure instanceof Error ? failure : new Error('The library failed');
      return { status: response.statusCode, headers: headersOf(response), body };
    },
  };
}

function requestFor(issuer: string, { method, path, body, authorization }: OAuthRequest): IncomingMessage {
  const { host, protocol } = new URL(issuer);
  const request = new IncomingMessage(new Socket());
  request.method = method;
  request.url = path;
  request.headers = {
    host,
    accept: 'application/json',
    'x-forwarded-proto': protocol.slice(0, -1),
    'x-forwarded-host': host,
    ...(authorization === undefined ? {} : { authorization }),
    ...(method === 'GET' ? {} : formHeaders(body)),
  };
  request.push(body);
  request.push(null);
  return request;
}

function formHeaders(body: string): Record<string, string> {
  return { 'content-type': 'application/x-www-form-urlencoded', 'content-length': `${Buffer.byteLength(body)}` };
}

/** Between our own server and its caller: lengths, connections, and which origins may read an answer. */
const NOT_PASSED_ON = /^(content-length|connection|transfer-encoding|vary|access-control-.*)$/;

function headersOf(response: ServerResponse): Record<string, string | string[]> {
  const passed: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(response.getHeaders())) {
    if (value === undefined || NOT_PASSED_ON.test(name)) continue;
    passed[name] = typeof value === 'number' ? `${value}` : value;
  }
  return passed;
}
