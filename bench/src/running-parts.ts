/** A process of a town, as the table of `up --split` names it; replicas of one context have its name. */
export type RunningPart = { readonly name: string; readonly pid: number };

const ROW = /^\s+([a-z]+)(?: \d+)?\s+(\d+)\s+http:\/\//;
const READY = /is ready at (http:\/\/[^,\s]+)/;

/** Reads what `up --split` has said when it was ready: who runs as which process, and where the gateway is. */
export function runningParts(lines: readonly string[]): { readonly address: URL; readonly parts: RunningPart[] } {
  const address = lines.map((line) => READY.exec(line)?.[1]).find((found) => found !== undefined);
  if (address === undefined) throw new Error(`The town has not said where it is:\n${lines.join('\n')}`);
  const parts = lines.flatMap((line) => {
    const [, name, pid] = ROW.exec(line) ?? [];
    return name === undefined ? [] : [{ name, pid: Number(pid) }];
  });
  return { address: new URL(address), parts };
}
