import { createServer, type Socket, connect } from 'node:net';

export type LossyProxy = {
  readonly url: string;
  /** From now on, what the client sends with this text in it reaches the server, and the answer reaches nobody. */
  loseAnswerTo(text: string): void;
  /** Lets nothing through any more, as a network that is gone; or all again. */
  hang(isHanging: boolean): void;
  close(): Promise<void>;
};

/** Stands between a client and PostgreSQL, to lose an answer at the worst moment. */
export async function lossyProxy(serverUrl: string): Promise<LossyProxy> {
  const target = new URL(serverUrl);
  const sockets = new Set<Socket>();
  let losing: string | undefined;
  let hangs = false;
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    let lost = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
    }
    client.on('data', (data) => {
      if (losing !== undefined && data.includes(losing)) lost = true;
      if (!hangs) upstream.write(data);
    });
    upstream.on('data', (data) => {
      // The server has done it: whoever asked will never know.
      if (lost) client.destroy();
      else if (!hangs) client.write(data);
    });
    client.on('close', () => upstream.end());
    upstream.on('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port');
  const url = new URL(serverUrl);
  url.hostname = '127.0.0.1';
  url.port = `${address.port}`;
  // A socket in the file system would pass by us.
  url.searchParams.delete('host');
  return {
    url: url.href,
    loseAnswerTo(text) {
      losing = text;
    },
    hang(isHanging) {
      hangs = isHanging;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
