import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';

export type Kept = {
  readonly pid: () => number | undefined;
  /** Resolves when it answers that it is ready for the first time; rejects where it never comes to that. */
  readonly ready: Promise<void>;
  /** Asks it to stop and waits until it has, after a while by force. */
  stop(): Promise<void>;
};

export type Keeping = {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly address: string;
  readonly say: (line: string) => void;
};

const LOOK_EVERY_MILLISECONDS = 200;
const LOOK_MILLISECONDS_MAX = 2_000;
const READY_MILLISECONDS_MAX = 180_000;
const STOP_MILLISECONDS_MAX = 20_000;
/** One that ends so often without ever having been ready will not do better the next time. */
const EARLY_ENDS_MAX = 3;
const PAUSE_MILLISECONDS = 250;
const PAUSE_MILLISECONDS_MAX = 5_000;
/** Who has lived so long is started again at once when it dies. */
const SETTLED_MILLISECONDS = 30_000;

/** Starts a process and starts it again whenever it ends by itself. Its lines come out under its name. */
export function keepRunning(keeping: Keeping): Kept {
  const { name, args, env, say } = keeping;
  let child: ChildProcess | undefined;
  let hasBeenReady = false;
  let earlyEnds = 0;
  let pause = PAUSE_MILLISECONDS;
  let rejectReady: (reason: Error) => void = () => {};
  const stopping = new AbortController();
  const neverReady = new Promise<never>((_resolve, reject) => {
    rejectReady = reject;
  });

  /** In a group of its own: Ctrl-C reaches whoever keeps it, who stops all in order. Where that one dies, it ends. */
  function start(): void {
    const startedAt = performance.now();
    child = spawn(process.execPath, [...args], {
      env: { ...env },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    passLines(child.stderr, () => true, name, say);
    passLines(child.stdout, (line) => line.startsWith('{'), name, say);
    child.once('error', (error) => say(`${name}: ${error.message}`));
    child.once('exit', (code, signal) => void ended(signal ?? `exit code ${code}`, performance.now() - startedAt));
  }

  async function ended(how: string, lived: number): Promise<void> {
    if (stopping.signal.aborted) return;
    if (!hasBeenReady) earlyEnds += 1;
    if (earlyEnds >= EARLY_ENDS_MAX) return rejectReady(new Error(`${name} does not start (${how}), see above.`));
    if (lived > SETTLED_MILLISECONDS) pause = PAUSE_MILLISECONDS;
    say(`${name} has ended (${how}) and is started again`);
    await wait(pause, undefined, { signal: stopping.signal }).catch(() => {});
    pause = Math.min(pause * 2, PAUSE_MILLISECONDS_MAX);
    if (stopping.signal.aborted) return;
    start();
    say(`${name} runs again as process ${child?.pid}`);
  }

  async function untilReady(): Promise<void> {
    const giveUpAt = performance.now() + READY_MILLISECONDS_MAX;
    while (!stopping.signal.aborted) {
      if (await answersReady(keeping.address)) break;
      if (performance.now() > giveUpAt) throw new Error(`${name} did not become ready.`);
      await wait(LOOK_EVERY_MILLISECONDS, undefined, { signal: stopping.signal }).catch(() => {});
    }
    hasBeenReady = true;
  }

  start();
  const ready = Promise.race([untilReady(), neverReady]);
  ready.catch(() => {});
  return {
    pid: () => child?.pid,
    ready,
    async stop() {
      stopping.abort();
      if (child !== undefined) await stopProcess(child);
    },
  };
}

async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), STOP_MILLISECONDS_MAX);
  await ended;
  clearTimeout(force);
}

async function answersReady(address: string): Promise<boolean> {
  try {
    const answer = await fetch(`${address}/health/ready`, { signal: AbortSignal.timeout(LOOK_MILLISECONDS_MAX) });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false;
  }
}

function passLines(
  from: Readable | null,
  isShown: (line: string) => boolean,
  name: string,
  say: (line: string) => void,
): void {
  if (from === null) return;
  createInterface({ input: from }).on('line', (line) => {
    if (isShown(line)) say(`${name}: ${line}`);
  });
}
