import { keepings } from './assortment.ts';
import { decimalsOf } from './prices.ts';
import { type Report, sumOf } from './report.ts';

const NAME_WIDTH = 30;

/** The report as text for a terminal. */
export function reportText(report: Report): string {
  const money = moneyFormat(report.site.currency);
  return [
    `${report.file.name}, ${report.period.from ?? 'no day'} to ${report.period.to ?? 'no day'}`,
    '',
    ...linesText(report),
    '',
    ...totalsText(report, money),
    '',
    ...productsText(report, money),
    '',
    ...daysText(report, money),
    '',
    'Assumed',
    ...report.assumed.map((line) => `  ${line}`),
    '',
    'The books against what the replay counted',
    ...report.crossChecks.map(({ name, ok, one, other }) => {
      return `  ${ok ? 'ok  ' : 'FAIL'} ${name}: ${one}${ok ? '' : ` and ${other}`}`;
    }),
  ].join('\n');
}

/** Amounts in minor units as people write them, with fewer decimals where exact figures stand elsewhere. */
export function moneyFormat(currency: string, shown = decimalsOf(currency)): (amount: number) => string {
  const decimals = decimalsOf(currency);
  const fraction = { minimumFractionDigits: shown, maximumFractionDigits: shown };
  const format = new Intl.NumberFormat('en', { style: 'currency', currency, ...fraction });
  return (amount) => format.format(amount / 10 ** decimals);
}

export function percent(part: number | null): string {
  return part === null ? '–' : `${(part * 100).toFixed(1)} %`;
}

function linesText({ file, counts, reasons }: Report): string[] {
  const { tickets } = counts;
  const notPlayed = file.linesNotPlayed > 0 ? ` + ${file.linesNotPlayed} not played` : '';
  return [
    'Lines',
    `  ${file.lines} in = ${counts.sold} sold + ${counts.refused} refused + ${counts.listed} listed${notPlayed}`,
    ...reasons
      .filter(({ outcome }) => outcome === 'listed')
      .slice(0, REASONS_SHOWN_MAX)
      .map(({ reason, lines }) => `  ${String(lines).padStart(8)} listed: ${reason}`),
    `  tickets: ${tickets.whole} had whole, ${tickets.part} in part, ${tickets.refused} not at all, ` +
      `${tickets.empty} with nothing sold`,
    `  orders placed: ${counts.orders}; tickets outside opening hours: ${counts.outsideHours}` +
      `${counts.moved > 0 ? `; played at their place in the file: ${counts.moved}` : ''}`,
  ];
}

const REASONS_SHOWN_MAX = 20;

function totalsText({ totals, period }: Report, money: (amount: number) => string): string[] {
  const thrown = Object.entries(totals.thrownOut).map(([reason, pieces]) => `${pieces} ${reason}`);
  return [
    'In all',
    `  put on the shelf   ${totals.made}`,
    `  sold               ${totals.sold} (${totals.soldFromShelf} from the shelf, ` +
      `${totals.soldMadeToOrder} made to order)`,
    `  thrown out         ${sumOf(totals.thrownOut)} (${thrown.join(', ') || 'nothing'}), ` +
      `cost ${money(totals.wasteCost)}`,
    `  refused            ${totals.refused} for want of stock`,
    `  left on the shelf  ${totals.left}`,
    `  revenue            ${money(totals.revenue)}`,
    `  sell-through       ${percent(totals.sellThrough)} of what was put on the shelf`,
    `  waste share        ${percent(totals.wasteShare)} of what was put on the shelf`,
    ...(period.quietDays.length > 0 ? [`  days without ticket ${period.quietDays.join(', ')}`] : []),
  ];
}

function productsText({ products }: Report, money: (amount: number) => string): string[] {
  const header = ['made', 'sold', 'refused', 'thrown', 'left', 'sell-through', 'waste', 'revenue'];
  const sorted = products.toSorted((left, right) => right.revenue - left.revenue || (left.name < right.name ? -1 : 1));
  return [
    `${'By product'.padEnd(NAME_WIDTH)} ${columns(header)}  kept as`,
    ...sorted.map((product) => {
      const { name, keeping, made, sold, refused, thrownOut, left, sellThrough, wasteShare, revenue } = product;
      const shelved = keeping !== 'made-to-order';
      const counted = [shelved ? made : '–', sold, refused, shelved ? sumOf(thrownOut) : '–', shelved ? left : '–'];
      const cells = [...counted.map(String), percent(sellThrough), percent(wasteShare), money(revenue)];
      const kept = `${keepings[keeping].label.toLowerCase()}${product.isPriceAssumed ? ', price assumed' : ''}`;
      return `${name.slice(0, NAME_WIDTH).padEnd(NAME_WIDTH)} ${columns(cells)}  ${kept}`;
    }),
  ];
}

function daysText({ days }: Report, money: (amount: number) => string): string[] {
  const header = ['made', 'sold', 'refused', 'thrown', 'revenue', 'waste cost'];
  return [
    `${'By day'.padEnd(NAME_WIDTH)} ${columns(header)}`,
    ...days.map(({ date, hasTickets, made, sold, refused, thrownOut, revenue, wasteCost }) => {
      const cells = [...[made, sold, refused, sumOf(thrownOut)].map(String), money(revenue), money(wasteCost)];
      return `${`${date}${hasTickets ? '' : '  no ticket'}`.padEnd(NAME_WIDTH)} ${columns(cells)}`;
    }),
  ];
}

function columns(cells: readonly string[]): string {
  return cells.map((cell) => cell.padStart(12)).join('');
}
