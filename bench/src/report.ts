import type { Figures, PurchaseFigures } from './measure.ts';

/** Prints the figures as a table with their ratios: only what was measured in the same run is compared. */
export function printReport(figures: Figures, print: (line: string) => void): void {
  const { tpcb, classic, purchases, menu } = figures;
  print('');
  print(
    row(['run', 'per second', '× TPC-B', '× classic', 'p50 ms', 'p99 ms', 'CPU ms each: server', 'database', 'client']),
  );
  if (tpcb !== undefined) print(row(['TPC-B, 16 clients', fixed(tpcb, 0)]));
  print(row(['classic, hot', fixed(classic.hot, 0), ratio(classic.hot, tpcb)]));
  print(row(['classic, 100 products', fixed(classic.spread, 0), ratio(classic.spread, tpcb)]));
  for (const [name, run] of Object.entries(purchases)) {
    const rival = name.startsWith('hot') ? classic.hot : classic.spread;
    print(row([name, ...purchaseCells(run, tpcb, rival)]));
  }
  print(row(['menu, 64 clients', fixed(menu.perSecond, 0), '', '', fixed(menu.p50, 1), fixed(menu.p99, 1)]));
  print('');
  printRatio(print, 'hot against 100 products, 64 clients', purchases['hot-64'], purchases['spread-64']);
  const [after, before] = [purchases['hot-64-after-history'], purchases['hot-64-before-history']];
  printRatio(print, 'hot after the million against before, 64 clients', after, before);
}

function purchaseCells(run: PurchaseFigures, tpcb: number | undefined, rival: number): string[] {
  const { perSecond, p50, p99, cpu } = run;
  return [
    fixed(perSecond, 0),
    ratio(perSecond, tpcb),
    ratio(perSecond, rival),
    fixed(p50, 1),
    fixed(p99, 1),
    fixed(cpu.server, 3),
    fixed(cpu.database, 3),
    fixed(cpu.client, 3),
  ];
}

function printRatio(
  print: (line: string) => void,
  what: string,
  left: PurchaseFigures | undefined,
  right: PurchaseFigures | undefined,
): void {
  if (left !== undefined && right !== undefined) print(`${what}: ${ratio(left.perSecond, right.perSecond)}`);
}

function ratio(value: number, base: number | undefined): string {
  return base === undefined ? '' : (value / base).toFixed(2);
}

function fixed(value: number, digits: number): string {
  return value.toFixed(digits);
}

function row(cells: readonly string[]): string {
  return cells.map((cell, index) => (index === 0 ? cell.padEnd(28) : cell.padStart(index > 5 ? 20 : 11))).join('');
}
