import type { ShapeRun } from './measure-shapes.ts';
import { STAGES } from './stages.ts';

const NAME_WIDTH = 34;
const CELL_WIDTH = 18;

/** Prints what each shape carried, how long each stage took, and what an order cost by part. */
export function printShapes(runs: readonly ShapeRun[], print: (line: string) => void): void {
  print('');
  print(row('shape', ['per second', 'p50 ms', 'p99 ms', 'late', 'refused', "strangers' CPU"]));
  for (const run of runs) {
    const { perSecond, p50, p99, late, refused, strangersShare } = run;
    const percent = `${Math.round(strangersShare * 100)} %`;
    print(row(nameOf(run), [perSecond.toFixed(0), p50.toFixed(1), p99.toFixed(1), `${late}`, `${refused}`, percent]));
  }
  const steps = STAGES.filter((stage) => stage !== 'placed');
  print('');
  print(row('ms to each stage, p50 / p99', [...steps.map((stage) => `→ ${stage}`), 'placed → paid']));
  for (const run of runs) {
    const { stages } = run;
    if (stages === undefined) continue;
    const spreads = [...steps.map((stage) => stages.steps[stage]), stages.whole];
    print(
      row(
        nameOf(run),
        spreads.map(({ p50, p99 }) => `${p50.toFixed(0)} / ${p99.toFixed(0)}`),
      ),
    );
  }
  print('');
  print('CPU ms for each order, by part');
  for (const run of runs) {
    const parts = Object.entries(run.cpu).toSorted(([, left], [, right]) => right - left);
    const total = parts.reduce((sum, [, each]) => sum + each, 0);
    const [wal, databases] = [run.bytes.wal, run.bytes.databases].map((bytes) => (bytes / 1_000).toFixed(1));
    print(`${nameOf(run).padEnd(NAME_WIDTH)} ${total.toFixed(2)} in all; ${wal} kB of WAL, ${databases} kB of tables`);
    print(`  ${parts.map(([name, each]) => `${name} ${each.toFixed(2)}`).join(', ')}`);
  }
}

function nameOf({ shape, sites, clients }: ShapeRun): string {
  return `${shape}, sites ${sites}, clients ${clients}`;
}

function row(name: string, cells: readonly string[]): string {
  return name.padEnd(NAME_WIDTH) + cells.map((cell) => cell.padStart(CELL_WIDTH)).join('');
}
