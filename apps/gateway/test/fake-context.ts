import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';

export type Asked = {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};

export type FakeContext = {
  readonly address: string;
  /** Every request but those of the gateway's looks, in the order in which they came. */
  readonly asked: readonly Asked[];
  /** What it answers to looks: true unless said. */
  setReady(isReady: boolean): void;
  /** Goes away as a killed process does. */
  kill(): Promise<void>;
  /** Comes back on its old address. */
  revive(): Promise<void>;
};

export type Answering = (asked: Asked, response: ServerResponse) => void;

/** A process that answers as told, in the place of a context: the gateway's own behaviour needs no more. */
export async function openFakeContext(answer: Answering): Promise<FakeContext> {
  const asked: Asked[] = [];
  let isReady = true;
  let port = 0;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === '/health/ready') return void response.writeHead(isReady ? 200 : 503).end();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = '', url = '', headers } = request;
    const one = { method, url, headers, body: Buffer.concat(chunks).toString() };
    asked.push(one);
    answer(one, response);
  }

  const server = createServer((request, response) => void handle(request, response).catch(() => response.destroy()));

  async function listen(): Promise<void> {
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const address = server.address();
    port = typeof address === 'object' && address !== null ? address.port : 0;
  }

  await listen();
  return {
    address: `http://127.0.0.1:${port}`,
    asked,
    setReady(now) {
      isReady = now;
    },
    async kill() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
    revive: listen,
  };
}

export function sendJson(response: ServerResponse, status: number, body: unknown, headers: object = {}): void {
  const type = status >= 400 ? 'application/problem+json' : 'application/json';
  response.writeHead(status, { 'content-type': type, ...headers }).end(JSON.stringify(body));
}
