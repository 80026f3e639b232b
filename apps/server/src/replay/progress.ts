import type { ReplayState } from './state.ts';

/** Tells whoever waits how far it has come. */
export type Progress = {
  /** What was played by runs before this one is told once, and not counted into the speed. */
  begin(from: ReplayState): void;
  report(state: ReplayState, bytesRead: number): void;
  end(): void;
};

export type ProgressOutput = {
  write(text: string): void;
  readonly isTTY: boolean;
  readonly columns: number;
};

const REDRAW_MILLISECONDS = 150;
const LINE_EVERY_MILLISECONDS = 5_000;
const BAR_CELLS = 24;

/** A bar that redraws itself on a terminal; a line every five seconds elsewhere. `now` is the wall's time. */
export function openProgress(output: ProgressOutput, bytesTotal: number, now: () => number): Progress {
  const every = output.isTTY ? REDRAW_MILLISECONDS : LINE_EVERY_MILLISECONDS;
  let beganAt = now();
  let before = 0;
  let toldAt = Number.NEGATIVE_INFINITY;
  let last: string | undefined;

  function show(line: string): void {
    if (output.isTTY) output.write(`\r\u001b[2K${line.slice(0, Math.max(20, output.columns - 1))}`);
    else output.write(`${line}\n`);
    toldAt = now();
    last = undefined;
  }

  return {
    begin(from) {
      beganAt = now();
      toldAt = output.isTTY ? toldAt : beganAt;
      before = ticketsOf(from);
      if (from.day !== null) output.write(`Going on from ${from.day}, ${before} tickets were played before.\n`);
    },
    report(state, bytesRead) {
      const seconds = Math.max(0.001, (now() - beganAt) / 1_000);
      last = progressLine(state, bytesRead / Math.max(1, bytesTotal), (ticketsOf(state) - before) / seconds);
      if (now() - toldAt >= every) show(last);
    },
    end() {
      if (last !== undefined) show(last);
      if (output.isTTY) output.write('\n');
    },
  };
}

/** One line: the day that is played, how much of the file is behind, tickets a second, what was refused. */
export function progressLine(state: ReplayState, share: number, ticketsPerSecond: number): string {
  const part = Math.min(1, Math.max(0, share));
  const full = Math.round(part * BAR_CELLS);
  const bar = `${'█'.repeat(full)}${'░'.repeat(BAR_CELLS - full)}`;
  const { counts } = state;
  const speed = `${Math.round(ticketsPerSecond)} tickets/s`;
  const pieces = `${counts.sold} sold, ${counts.refused} refused, ${counts.listed} listed`;
  return `${state.day ?? '—'} ${bar} ${String(Math.floor(part * 100)).padStart(3)} %  ${speed}  ${pieces}`;
}

function ticketsOf({ counts: { tickets } }: ReplayState): number {
  return tickets.whole + tickets.part + tickets.refused;
}
