import { Agent, type IncomingHttpHeaders, request } from 'node:http';

export type ApiAnswer<Body = Record<string, unknown>> = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** As parsed where it is JSON; undefined where it is empty; else the text. The test's expectations look at it. */
  readonly body: Body;
  readonly text: string;
};

export type ApiCall = {
  readonly token?: string | undefined;
  readonly body?: unknown;
  /** Sent as they are, instead of `body`. */
  readonly bytes?: Buffer | string | undefined;
  /** The Idempotency-Key. */
  readonly key?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly timeoutMilliseconds?: number | undefined;
};

/** A server asked over HTTP as anybody would. */
export type Api = {
  readonly url: string;
  /** Takes `GET /api/menu?siteId=…`. Rejects where no answer came: the connection was cut, or nobody listens. */
  call<Body = Record<string, unknown>>(line: string, options?: ApiCall): Promise<ApiAnswer<Body>>;
  /** Gives an access token, or throws with what the server said. */
  signIn(email: string, password: string): Promise<string>;
  close(): void;
};

const ANSWER_MILLISECONDS_MAX = 60_000;
const SOCKETS_MAX = 256;

/** Opens a client with its own connections, which are kept open between calls. */
export function openApi(url: string): Api {
  const agent = new Agent({ keepAlive: true, maxSockets: SOCKETS_MAX });

  async function call<Body>(line: string, options: ApiCall = {}): Promise<ApiAnswer<Body>> {
    const { status, headers, text } = await send(agent, url, line, options);
    const isJson = /json/.test(headers['content-type'] ?? '') && text !== '';
    // Only the test knows what it asked for, and its expectations look at every member that they name.
    const body = (isJson ? JSON.parse(text) : text === '' ? undefined : text) as Body;
    return { status, headers, body, text };
  }

  return {
    url,
    call,
    async signIn(username, password) {
      const form = new URLSearchParams({ grant_type: 'password', username, password });
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const answer = await call<{ access_token?: string }>('POST /api/oauth/token', {
        bytes: form.toString(),
        headers,
      });
      const token = answer.body.access_token;
      if (token === undefined) throw new Error(`${username} cannot sign in: ${answer.status} ${answer.text}`);
      return token;
    },
    close: () => agent.destroy(),
  };
}

type Sent = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly text: string };

function send(agent: Agent, url: string, line: string, options: ApiCall): Promise<Sent> {
  const [method, path] = line.split(' ') as [string, string];
  const { token, body, key, timeoutMilliseconds = ANSWER_MILLISECONDS_MAX } = options;
  const bytes = options.bytes ?? (body === undefined ? undefined : JSON.stringify(body));
  const headers: Record<string, string | number> = {
    ...(bytes === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(bytes) }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(key === undefined ? {} : { 'idempotency-key': key }),
    ...options.headers,
  };
  return new Promise((resolve, reject) => {
    const sending = request(new URL(url).origin + path, { method, agent, headers }, (answer) => {
      if (answer.headers['content-type']?.startsWith('text/event-stream')) {
        // It does not end by itself; a test that listens reads it in its own way.
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: '' });
        sending.destroy();
        return;
      }
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          text: Buffer.concat(chunks).toString('utf8'),
        });
      });
    });
    sending.setTimeout(timeoutMilliseconds, () => sending.destroy(new Error(`No answer to ${method} ${path}`)));
    sending.on('error', reject);
    sending.end(bytes);
  });
}
