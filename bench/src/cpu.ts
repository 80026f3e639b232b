import { readdirSync, readFileSync } from 'node:fs';

/**
 * Linux counts CPU time in hundredths of a second for programs to read, whatever its own tick (sysconf(_SC_CLK_TCK)).
 */
const TICKS_PER_SECOND = 100;

type OwnTimes = { readonly parent: number; readonly ticks: number; readonly reapedTicks: number };

/** What every process has used so far, by process id. Empty where there is no /proc: figures are 0 there. */
export type ProcessTimes = ReadonlyMap<number, OwnTimes>;

function timesOf(pid: string): OwnTimes | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [parent = 0, user = 0, system = 0, childUser = 0, childSystem = 0] = [1, 11, 12, 13, 14].map(
      (i) => fields[i],
    );
    return { parent, ticks: user + system, reapedTicks: childUser + childSystem };
  } catch {
    return undefined;
  }
}

export function readProcessTimes(): ProcessTimes {
  const times = new Map<number, OwnTimes>();
  try {
    for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
      const found = timesOf(name);
      if (found !== undefined) times.set(Number(name), found);
    }
  } catch {
    return times;
  }
  return times;
}

/** CPU time of a process and all that descend from it, ended ones too, in milliseconds. Linux only; 0 elsewhere. */
export function cpuMillisecondsOfTree(root: number, times = readProcessTimes()): number {
  function total(pid: number): number {
    const own = times.get(pid);
    if (own === undefined) return 0;
    let sum = own.ticks + own.reapedTicks;
    for (const [child, { parent }] of times) if (parent === pid) sum += total(child);
    return sum;
  }
  return (total(root) * 1_000) / TICKS_PER_SECOND;
}

/** CPU time of one process alone, in milliseconds. */
export function cpuMillisecondsOf(pid: number, times: ProcessTimes): number {
  return ((times.get(pid)?.ticks ?? 0) * 1_000) / TICKS_PER_SECOND;
}

/** What all cores have done for anybody so far, in milliseconds; 0 where there is no /proc. */
export function machineBusyMilliseconds(): number {
  try {
    const [total = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
    const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0] = total.trim().split(/\s+/).slice(1).map(Number);
    return ((user + nice + system + irq + softIrq) * 1_000) / TICKS_PER_SECOND;
  } catch {
    return 0;
  }
}
