// Run as a process of its own: a closed-loop HTTP client that costs as little CPU as it can, since it shares the cores
// with what it measures.
import { connect, type Socket } from 'node:net';

/** What the parent asks for. `tokens` and `bodies` are taken in turn, at random. */
export type LoadOrder = {
  readonly host: string;
  readonly port: number;
  readonly clients: number;
  readonly seconds: number;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly tokens: readonly string[];
  readonly bodies: readonly string[];
  readonly withKeys: boolean;
};

export type LoadResult = {
  readonly seconds: number;
  readonly statuses: Readonly<Record<string, number>>;
  /** Latency of each answered request, in microseconds, sorted. Bounded by the length of a run. */
  readonly latencies: readonly number[];
  readonly cpuMilliseconds: number;
  readonly firstBadBody?: string;
};

const HEADER_END = Buffer.from('\r\n\r\n');
const LENGTH_PATTERN = /content-length: (\d+)/i;

function run(order: LoadOrder): Promise<LoadResult> {
  const statuses: Record<string, number> = {};
  const latencies: number[] = [];
  let firstBadBody: string | undefined;
  let keyCount = 0;
  const keyPrefix = `bench-${process.pid}-${process.hrtime.bigint()}`;
  const cpuBefore = process.cpuUsage();
  const began = performance.now();
  const end = began + order.seconds * 1_000;

  function pick(list: readonly string[]): string {
    return list[Math.floor(Math.random() * list.length)] ?? '';
  }

  function request(): string {
    const body = order.method === 'POST' ? pick(order.bodies) : '';
    keyCount += 1;
    const key = order.withKeys ? `Idempotency-Key: ${keyPrefix}-${keyCount}\r\n` : '';
    const token = order.tokens.length > 0 ? `Authorization: Bearer ${pick(order.tokens)}\r\n` : '';
    const content =
      body === '' ? '' : `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
    return `${order.method} ${order.path} HTTP/1.1\r\nHost: ${order.host}\r\n${token}${key}${content}\r\n${body}`;
  }

  function client(): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket: Socket = connect(order.port, order.host);
      let received: Buffer = Buffer.alloc(0);
      let sentAt = 0;
      socket.setNoDelay(true);

      function send(): void {
        if (performance.now() >= end) {
          socket.end();
          resolve();
          return;
        }
        sentAt = performance.now();
        socket.write(request());
      }

      socket.on('connect', send);
      socket.on('error', reject);
      socket.on('close', () => resolve());
      socket.on('data', (chunk: Buffer) => {
        received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
        const headerEnd = received.indexOf(HEADER_END);
        if (headerEnd < 0) return;
        const head = received.toString('latin1', 0, headerEnd);
        const length = Number(LENGTH_PATTERN.exec(head)?.[1] ?? 0);
        if (received.length < headerEnd + 4 + length) return;
        const status = head.slice(9, 12);
        statuses[status] = (statuses[status] ?? 0) + 1;
        latencies.push(Math.round((performance.now() - sentAt) * 1_000));
        if (!status.startsWith('2')) firstBadBody ??= received.toString('utf8', headerEnd + 4);
        received = Buffer.alloc(0);
        send();
      });
    });
  }

  return Promise.all(Array.from({ length: order.clients }, client)).then(() => {
    const cpu = process.cpuUsage(cpuBefore);
    return {
      seconds: (performance.now() - began) / 1_000,
      statuses,
      latencies: latencies.sort((left, right) => left - right),
      cpuMilliseconds: (cpu.user + cpu.system) / 1_000,
      ...(firstBadBody === undefined ? {} : { firstBadBody }),
    };
  });
}

process.on('message', (order: LoadOrder) => {
  run(order).then(
    (result) => process.send?.(result, () => process.disconnect()),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
