import type { ContextName } from '@provender/contracts';
import { CONTEXT_NAMES } from '@provender/contracts';
import pg from 'pg';

const NOTIFY_CHANNEL = 'provender_log';
/** Commits are announced at most so often: a NOTIFY in each transaction halves the throughput. */
const NOTIFY_EVERY_MILLISECONDS = 20;
const LISTENER_RETRY_MILLISECONDS = 1_000;

/**
 * Tells the other processes on this database of this one's commits, and hears of theirs. It only makes things quick:
 * an announcement may be lost, so whoever hears of one looks at the tables, and also looks now and then without.
 */
export type Announcer = {
  /** This process has committed to the log of that context. */
  tell(context: ContextName): void;
  /** Calls this when another process may have committed to the log of a context of this database. */
  onHeard(listener: (source: ContextName) => void): void;
  close(): Promise<void>;
};

/** Opens it on one connection of its own; `processId` tells this process from the others. */
export function openAnnouncer(url: string, processId: string): Announcer {
  const listeners: ((source: ContextName) => void)[] = [];
  const untold = new Set<ContextName>();
  let client: pg.Client | undefined;
  let timer: NodeJS.Timeout | undefined;
  let retry: NodeJS.Timeout | undefined;
  let closed = false;

  function heard(sources: readonly string[]): void {
    // Whoever may write to this channel of the database is one of us.
    for (const source of sources) for (const listener of listeners) listener(source as ContextName);
  }

  async function connect(): Promise<void> {
    const next = new pg.Client({ connectionString: url, application_name: 'provender announcer', keepAlive: true });
    const lost = () => {
      if (client === next) client = undefined;
      if (!closed) retry ??= setTimeout(reconnect, LISTENER_RETRY_MILLISECONDS);
    };
    next.on('error', lost);
    next.on('end', lost);
    next.on('notification', ({ payload }) => {
      const [from, ...sources] = (payload ?? '').split(' ');
      if (from !== processId) heard(sources);
    });
    try {
      await next.connect();
      await next.query(`LISTEN ${NOTIFY_CHANNEL}`);
      if (closed) return await next.end();
      client = next;
      // Nobody knows what was said while nobody listened.
      heard(CONTEXT_NAMES);
    } catch {
      lost();
    }
  }

  function reconnect(): void {
    retry = undefined;
    void connect();
  }

  async function send(): Promise<void> {
    const payload = [processId, ...untold].join(' ');
    untold.clear();
    const notify = { name: 'notify', text: 'SELECT pg_notify($1, $2)', values: [NOTIFY_CHANNEL, payload] };
    // A lost announcement costs the delay of a slow look, nothing else.
    await client?.query(notify).catch(() => {});
  }

  /** The first commit after a silence is announced at once, those that follow it closely together. */
  async function flush(): Promise<void> {
    if (untold.size === 0) timer = undefined;
    else {
      await send();
      if (!closed) timer = setTimeout(() => void flush(), NOTIFY_EVERY_MILLISECONDS);
    }
  }

  void connect();
  return {
    tell(context) {
      untold.add(context);
      // Not before this turn of the event loop has sent what a buyer waits for.
      timer ??= setTimeout(() => void flush(), 0);
    },
    onHeard: (listener) => void listeners.push(listener),
    async close() {
      closed = true;
      clearTimeout(timer);
      clearTimeout(retry);
      await client?.end().catch(() => {});
    },
  };
}
