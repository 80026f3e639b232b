/** One event of a stream of Server-Sent Events. */
export type LiveEvent = {
  readonly id: string;
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
};

/** Somebody who listens at `GET /api/live`, as a page does: with fetch, since the token goes in the header. */
export type LiveListener = {
  /** What was heard so far. */
  readonly heard: readonly LiveEvent[];
  /** The id that a page would come back with. */
  lastId(): string | undefined;
  /** True once the other side has ended the stream. */
  isEnded(): boolean;
  leave(): void;
};

type Listening = { readonly token: string; readonly query?: string; readonly lastEventId?: string | undefined };

/** Begins to listen; resolves once the stream has begun. Throws where it does not. */
export async function listenLive(url: string, { token, query = '', lastEventId }: Listening): Promise<LiveListener> {
  const leaving = new AbortController();
  const response = await fetch(`${url}/api/live${query}`, {
    signal: leaving.signal,
    headers: {
      authorization: `Bearer ${token}`,
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    },
  });
  const type = response.headers.get('content-type') ?? '';
  if (!response.ok || response.body === null || !type.startsWith('text/event-stream')) {
    throw new Error(`The live stream answered ${response.status} ${type}: ${await response.text()}`);
  }
  const heard: LiveEvent[] = [];
  let last: string | undefined = lastEventId;
  let isEnded = false;

  function read(block: string): void {
    const fields = new Map(
      block.split('\n').map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon), line.slice(colon + 1).trimStart()];
      }),
    );
    last = fields.get('id') ?? last;
    const data = fields.get('data');
    if (data === undefined) return;
    heard.push({ id: last ?? '', event: fields.get('event') ?? 'message', data: JSON.parse(data) });
  }

  async function readAll(stream: ReadableStream<Uint8Array>): Promise<void> {
    let rest = '';
    const decoder = new TextDecoder();
    for await (const bytes of stream) {
      const blocks = `${rest}${decoder.decode(bytes, { stream: true })}`.split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) read(block);
    }
  }

  readAll(response.body)
    .catch(() => {})
    .finally(() => {
      isEnded = true;
    });
  return { heard, lastId: () => last, isEnded: () => isEnded, leave: () => leaving.abort() };
}
