import { readdirSync, readFileSync } from 'node:fs';

/**
 * Linux counts CPU time in hundredths of a second for programs to read, whatever its own tick (sysconf(_SC_CLK_TCK)).
 */
const TICKS_PER_SECOND = 100;

type ProcessTimes = { readonly parent: number; readonly ticks: number; readonly reapedTicks: number };

function timesOf(pid: string): ProcessTimes | undefined {
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

/** CPU time of a process and all that descend from it, ended ones too, in milliseconds. Linux only; 0 elsewhere. */
export function cpuMillisecondsOfTree(root: number): number {
  const times = new Map<number, ProcessTimes>();
  try {
    for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
      const found = timesOf(name);
      if (found !== undefined) times.set(Number(name), found);
    }
  } catch {
    return 0;
  }
  function total(pid: number): number {
    const own = times.get(pid);
    if (own === undefined) return 0;
    let sum = own.ticks + own.reapedTicks;
    for (const [child, { parent }] of times) if (parent === pid) sum += total(child);
    return sum;
  }
  return (total(root) * 1_000) / TICKS_PER_SECOND;
}
