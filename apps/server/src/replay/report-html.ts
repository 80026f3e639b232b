import { keepings } from './assortment.ts';
import { barChart, escapeHtml, shareBar } from './charts.ts';
import { type DayFigures, type ProductFigures, type Report, sumOf } from './report.ts';
import { moneyFormat, percent } from './report-text.ts';

const STYLE = `
:root { color-scheme: light dark; --paper: #faf7f2; --ink: #2b2620; --soft: #6d655b; --line: #e2dbd0; --card: #fffdf9;
  --sold: #2f7d4f; --thrown: #b3362b; --refused: #b97a12; --money: #a4651a; }
@media (prefers-color-scheme: dark) { :root { --paper: #1c1915; --ink: #ece6dc; --soft: #a69c8f; --line: #3a342d;
  --card: #25211c; --sold: #63b886; --thrown: #e8786c; --refused: #e0ac52; --money: #dc9e57; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1040px; margin: 0 auto; padding: 24px 16px 64px; }
h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 18px; margin: 36px 0 8px; }
p { margin: 4px 0; max-width: 75ch; } .soft { color: var(--soft); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(200px, 1fr)); gap: 12px; margin: 20px 0; }
.figure { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 12px; }
.figure b { display: block; font-size: 22px; font-variant-numeric: tabular-nums; }
.key span::before { content: ""; display: inline-block; width: 10px; height: 10px; margin: 0 6px 0 12px;
  border-radius: 2px; background: var(--colour); }
svg { width: 100%; height: auto; display: block; } svg.share { width: 72px; height: 6px; margin-left: auto; }
.axis { fill: var(--soft); font-size: 11px; } .grid { stroke: var(--line); }
.sold { fill: var(--sold); } .thrown { fill: var(--thrown); } .refused { fill: var(--refused); }
.money { fill: var(--money); }
.track { fill: var(--line); } .hover { fill: transparent; } g:hover .hover { fill: var(--line); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 8px; border-bottom: 1px solid var(--line); text-align: right; }
th:first-child, td:first-child, .text { text-align: left; } th { color: var(--soft); font-weight: 600; }
details { margin: 8px 0; } summary { cursor: pointer; color: var(--soft); }
.bad { color: var(--thrown); font-weight: 600; } .good { color: var(--sold); }
`;

/** The report as one page that needs nothing but itself. */
export function reportHtml(report: Report): string {
  const money = moneyFormat(report.site.currency);
  const { file, period } = report;
  const title = `${file.name}, played`;
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body><main>`,
    `<h1>${escapeHtml(title)}</h1>`,
    `<p class="soft">${period.from ?? 'no day'} to ${period.to ?? 'no day'}. A till's tickets as counter orders ` +
      'through the whole running system. Figures are from the books of the system, unless said.</p>',
    figures(report, money),
    dayCharts(report, money),
    productTable(report, money),
    lineTable(report),
    `<h2>What is assumed</h2><ul>${report.assumed.map((line) => `<li>${escapeHtml(line)}</li>`).join('')}</ul>`,
    checks(report),
    '</main></body></html>',
    '',
  ].join('\n');
}

function figures({ totals, counts }: Report, money: (amount: number) => string): string {
  const { tickets } = counts;
  const cells: (readonly [string, string])[] = [
    ['tickets', String(tickets.whole + tickets.part + tickets.refused)],
    ['revenue', money(totals.revenue)],
    ['pieces sold', String(totals.sold)],
    ['put on the shelf', String(totals.made)],
    ['of it sold', percent(totals.sellThrough)],
    ['of it thrown out', percent(totals.wasteShare)],
    [`cost of the ${sumOf(totals.thrownOut)} thrown out`, money(totals.wasteCost)],
    ['refused, no stock', String(totals.refused)],
  ];
  const figure = ([name, value]: readonly [string, string]) => `<div class="figure"><b>${value}</b>${name}</div>`;
  return `<div class="figures">${cells.map(figure).join('')}</div>`;
}

function dayCharts({ days, site: { currency } }: Report, money: (amount: number) => string): string {
  const pieces = days.map((day) => ({
    label: day.date.slice(5),
    title: dayTitle(day),
    parts: [
      { kind: 'sold', value: day.sold },
      { kind: 'thrown', value: sumOf(day.thrownOut) },
      { kind: 'refused', value: day.refused },
    ],
  }));
  const revenue = days.map((day) => ({
    label: day.date.slice(5),
    title: `${day.date}: ${money(day.revenue)}`,
    parts: [{ kind: 'money', value: day.revenue }],
  }));
  const key = ['sold', 'thrown', 'refused'].map((kind, index) => {
    const word = ['sold', 'thrown out', 'refused for want of stock'][index] ?? '';
    return `<span style="--colour: var(--${kind})">${word}</span>`;
  });
  return [
    '<h2>Did each day have enough, and what was left of it?</h2>',
    `<p class="key soft">Pieces: ${key.join('')}</p>`,
    barChart('Pieces sold, thrown out and refused, by day', pieces, String),
    '<h2>What did each day take?</h2>',
    barChart('Revenue by day', revenue, moneyFormat(currency, 0)),
    `<details><summary>The days as a table</summary><div class="wide">${dayTable(days, money)}</div></details>`,
  ].join('\n');
}

function dayTitle(day: DayFigures): string {
  if (!day.hasTickets) return `${day.date}: no ticket, ${sumOf(day.thrownOut)} thrown out`;
  return `${day.date}: ${day.sold} sold, ${sumOf(day.thrownOut)} thrown out, ${day.refused} refused`;
}

function dayTable(days: readonly DayFigures[], money: (amount: number) => string): string {
  return table(
    ['day', 'put on the shelf', 'sold', 'refused', 'thrown out', 'revenue', 'cost of waste'],
    days.map(({ date, made, sold, refused, thrownOut, revenue, wasteCost }) => {
      return [date, made, sold, refused, sumOf(thrownOut), money(revenue), money(wasteCost)].map(String);
    }),
  );
}

function productTable({ products, totals }: Report, money: (amount: number) => string): string {
  const reasons = Object.keys(totals.thrownOut).toSorted();
  const sorted = products.toSorted((left, right) => right.revenue - left.revenue || (left.name < right.name ? -1 : 1));
  const head = ['item', 'kept as', 'price', 'put on the shelf', 'sold', 'refused'];
  const tail = ['left', 'of it sold', 'of it thrown out', 'revenue'];
  const rows = sorted.map((product) => productRow(product, reasons, money));
  return [
    '<h2>Which items sell, which are wasted, which run out?</h2>',
    '<p class="soft">* the price is assumed. † how it is kept was guessed from its name.</p>',
    `<div class="wide">${table([...head, ...reasons.map((reason) => `thrown out, ${reason}`), ...tail], rows)}</div>`,
  ].join('\n');
}

/** Cells are HTML: every text in them has been escaped. */
function productRow(product: ProductFigures, reasons: readonly string[], money: (amount: number) => string): string[] {
  const { name, keeping, price, made, sold, refused, thrownOut, left, sellThrough, wasteShare, revenue } = product;
  return [
    `${escapeHtml(name)}${product.isNamed ? '' : ' †'}`,
    keepings[keeping].label,
    `${money(price)}${product.isPriceAssumed ? '*' : ''}`,
    keeping === 'made-to-order' ? '' : String(made),
    String(sold),
    String(refused),
    ...reasons.map((reason) => String(thrownOut[reason] ?? '')),
    keeping === 'made-to-order' ? '' : String(left),
    sellThrough === null ? '' : `${percent(sellThrough)}${shareBar(sellThrough, 'sold')}`,
    wasteShare === null ? '' : `${percent(wasteShare)}${shareBar(wasteShare, 'thrown')}`,
    money(revenue),
  ];
}

function lineTable({ file, counts, reasons }: Report): string {
  const { tickets } = counts;
  const notPlayed = file.linesNotPlayed > 0 ? ` + ${file.linesNotPlayed} not played` : '';
  const listed = reasons.filter(({ outcome }) => outcome === 'listed');
  return [
    '<h2>Where did every line go?</h2>',
    `<p><b>${file.lines}</b> lines in = ${counts.sold} sold + ${counts.refused} refused + ` +
      `${counts.listed} listed${notPlayed}. Tickets: ${tickets.whole} had whole, ${tickets.part} in part, ` +
      `${tickets.refused} not at all, ` +
      `${tickets.empty} with nothing sold; ${counts.outsideHours} were outside opening hours.</p>`,
    listed.length === 0
      ? ''
      : table(
          ['why it was listed', 'lines'],
          listed.map(({ reason, lines }) => [escapeHtml(reason), String(lines)]),
        ),
  ].join('\n');
}

function checks({ crossChecks, verify }: Report): string {
  const mark = (ok: boolean) => (ok ? '<span class="good">holds</span>' : '<span class="bad">broken</span>');
  return [
    '<h2>Do the books agree?</h2>',
    `<div class="wide">${table(
      ['what must be equal', 'one side', 'other side', ''],
      crossChecks.map(({ name, one, other, ok }) => [escapeHtml(name), String(one), String(other), mark(ok)]),
    )}</div>`,
    `<h2>Does every promise hold? ${verify.ok ? 'Yes' : 'No'}</h2>`,
    `<details${verify.ok ? '' : ' open'}><summary>${verify.checks.length} checks</summary><div class="wide">${table(
      ['check', 'promise', ''],
      verify.checks.map(({ name, promise, ok }) => [escapeHtml(name), promise, mark(ok)]),
    )}</div></details>`,
  ].join('\n');
}

/** Cells are HTML. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const header = head.map((cell) => `<th>${cell}</th>`).join('');
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('\n');
  return `<table><thead><tr>${header}</tr></thead><tbody>\n${body}\n</tbody></table>`;
}
