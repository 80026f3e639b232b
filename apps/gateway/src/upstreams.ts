import type { Log, Upstream, UpstreamName } from '@provender/platform';

/** How a process answered when it was last looked at: `ready`, `unready` (there, but not ready) or not at all. */
export type Health = 'ready' | 'unready' | 'down';

/** The processes behind the gateway, and which of them can be asked right now. */
export type Upstreams = {
  readonly names: readonly UpstreamName[];
  /** The address to ask next, ready ones first and in turn; undefined where nobody is there, or all were tried. */
  choose(name: UpstreamName, tried?: readonly string[]): string | undefined;
  /** It did not take a connection: nobody asks it again before it has answered a look. */
  refused(address: string): void;
  /** The best of each context's processes. */
  health(): Readonly<Record<string, Health>>;
  /** True once every context has a ready process, or the time for that is over and one has. */
  ready(): boolean;
  /** Looks at all of them once, and from then on every second. */
  start(): Promise<void>;
  stop(): void;
};

const LOOK_EVERY_MILLISECONDS = 1_000;
const LOOK_MILLISECONDS_MAX = 2_000;
/** A process under load may be late once; one that stands still is late again. */
const LATE_LOOKS_MAX = 2;
/** So long the gateway waits for all contexts before it is ready without some of them. */
const ALL_READY_MILLISECONDS_MAX = 10_000;

type State = { health: Health; lateLooks: number };

/** Takes the list of the settings. Nothing is looked at before `start`. */
export function openUpstreams(listed: readonly Upstream[], log: Log): Upstreams {
  const names = [...new Set(listed.map(({ name }) => name))];
  const addresses = new Map(names.map((name) => [name, addressesOf(listed, name)]));
  const states = new Map<string, State>(listed.map(({ address }) => [address, { health: 'down', lateLooks: 0 }]));
  const turns = new Map<UpstreamName, number>();
  const startedAt = performance.now();
  let looking: NodeJS.Timeout | undefined;
  let isStopped = false;
  let wereAllReady = false;

  function healthOf(address: string): Health {
    return states.get(address)?.health ?? 'down';
  }

  function note(address: string, health: Health): void {
    const state = states.get(address);
    if (state === undefined) return;
    if (state.health !== health) log.info({ address, was: state.health, health }, 'upstream');
    state.health = health;
    state.lateLooks = 0;
  }

  async function look(address: string): Promise<void> {
    const state = states.get(address);
    try {
      const signal = AbortSignal.timeout(LOOK_MILLISECONDS_MAX);
      const answer = await fetch(`${address}/health/ready`, { signal, redirect: 'error' });
      await answer.body?.cancel();
      note(address, answer.ok ? 'ready' : 'unready');
    } catch (error) {
      const isLate = error instanceof Error && error.name === 'TimeoutError';
      if (state !== undefined) state.lateLooks += 1;
      if (!isLate || (state?.lateLooks ?? 0) >= LATE_LOOKS_MAX) note(address, 'down');
    }
  }

  async function lookAtAll(): Promise<void> {
    await Promise.all([...states.keys()].map(look));
    wereAllReady ||= names.every((name) => best(name) === 'ready');
    if (!isStopped) looking = setTimeout(() => void lookAtAll(), LOOK_EVERY_MILLISECONDS);
  }

  function best(name: UpstreamName): Health {
    const all = (addresses.get(name) ?? []).map(healthOf);
    return all.includes('ready') ? 'ready' : all.includes('unready') ? 'unready' : 'down';
  }

  return {
    names,
    choose(name, tried = []) {
      const left = (addresses.get(name) ?? []).filter((address) => !tried.includes(address));
      const ready = left.filter((address) => healthOf(address) === 'ready');
      const able = ready.length > 0 ? ready : left.filter((address) => healthOf(address) === 'unready');
      const turn = turns.get(name) ?? 0;
      turns.set(name, (turn + 1) % Number.MAX_SAFE_INTEGER);
      return able[turn % Math.max(able.length, 1)];
    },
    refused: (address) => note(address, 'down'),
    health: () => Object.fromEntries(names.map((name) => [name, best(name)])),
    ready() {
      const isLate = performance.now() - startedAt > ALL_READY_MILLISECONDS_MAX;
      return (wereAllReady || isLate) && names.some((name) => best(name) === 'ready');
    },
    start: lookAtAll,
    stop() {
      isStopped = true;
      clearTimeout(looking);
    },
  };
}

function addressesOf(listed: readonly Upstream[], wanted: UpstreamName): string[] {
  return listed.filter(({ name }) => name === wanted).map(({ address }) => address);
}
