/** Text as HTML and SVG may hold it. Names come from a file that anybody may have written. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** One part of a bar, from the bottom up. `kind` is a class of the page's style sheet. */
export type BarPart = { readonly kind: string; readonly value: number };
export type Bar = { readonly label: string; readonly title: string; readonly parts: readonly BarPart[] };

const WIDTH = 960;
const HEIGHT = 240;
const LEFT = 56;
const BOTTOM = 24;
const TOP = 10;
const LABELS_MAX = 12;
const TICKS = 4;
/** Half the width of a label: one that would stick out on the right is left away. */
const LABEL_HALF = 20;

/** Bars side by side that begin at zero, each with its exact figures for whoever points at it. */
export function barChart(name: string, bars: readonly Bar[], format: (value: number) => string): string {
  const highest = Math.max(1, ...bars.map(({ parts }) => parts.reduce((sum, { value }) => sum + value, 0)));
  const step = niceStep(highest / TICKS);
  const top = Math.ceil(highest / step) * step;
  const yOf = (value: number) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - BOTTOM - TOP);
  const slot = (WIDTH - LEFT) / Math.max(1, bars.length);
  const every = Math.max(1, Math.ceil(bars.length / LABELS_MAX));
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(name)}">`,
    ...ticks(top, step).map((value) => {
      const y = round(yOf(value));
      const at = `x="${LEFT - 6}" y="${y + 4}" text-anchor="end"`;
      const text = `<text class="axis" ${at}>${escapeHtml(format(value))}</text>`;
      return `<line class="grid" x1="${LEFT}" x2="${WIDTH}" y1="${y}" y2="${y}"/>${text}`;
    }),
    ...bars.map((bar, index) => {
      const x = LEFT + index * slot;
      const at = `x="${round(x + slot / 2)}" y="${HEIGHT - 6}" text-anchor="middle"`;
      const label =
        index % every === 0 && x + slot / 2 < WIDTH - LABEL_HALF
          ? `<text class="axis" ${at}>${escapeHtml(bar.label)}</text>`
          : '';
      return `<g><title>${escapeHtml(bar.title)}</title>${barParts(bar, x, slot, yOf)}</g>${label}`;
    }),
    '</svg>',
  ].join('\n');
}

function barParts({ parts }: Bar, x: number, slot: number, yOf: (value: number) => number): string {
  let below = 0;
  const width = Math.max(1, slot * 0.8);
  const whole = `x="${round(x)}" y="${TOP}" width="${round(slot)}" height="${HEIGHT - BOTTOM - TOP}"`;
  const hover = `<rect class="hover" ${whole}/>`;
  const drawn = parts.map(({ kind, value }) => {
    const y = yOf(below + value);
    const height = yOf(below) - y;
    below += value;
    const at = `x="${round(x + slot * 0.1)}" y="${round(y)}" width="${round(width)}" height="${round(height)}"`;
    return value === 0 ? '' : `<rect class="${kind}" ${at}/>`;
  });
  return hover + drawn.join('');
}

/** A share between 0 and 1 as a line that is filled so far. */
export function shareBar(share: number | null, kind: string): string {
  if (share === null) return '';
  const width = Math.round(Math.min(1, Math.max(0, share)) * 100);
  return (
    `<svg class="share" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">` +
    `<rect class="track" width="100" height="8" rx="2"/>` +
    `<rect class="${kind}" width="${width}" height="8" rx="2"/></svg>`
  );
}

function ticks(top: number, step: number): number[] {
  const count = Math.round(top / step);
  return Array.from({ length: count + 1 }, (_, index) => index * step);
}

/** 1, 2 or 5 and as many zeros as it takes, so that the axis reads easily. */
function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, rough)));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10;
  return step * power;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
