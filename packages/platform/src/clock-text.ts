import type { ClockOrigin } from './clock.ts';

/** What `PROVENDER_CLOCK` says: a rate, and where business time began to run at it, where that is given. */
export type ClockWish = {
  readonly rate: number;
  readonly origin?: { readonly wall: number; readonly business: number };
};

const MOMENT = String.raw`\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{3})?Z`;
const CLOCK = new RegExp(String.raw`^(\d{1,5}(?:\.\d{1,3})?)x(?:@(${MOMENT})(?:/(${MOMENT}))?)?$`);

/**
 * Takes `60x`, or `60x@WALL`, or `60x@WALL/BUSINESS`: at the wall moment, business time stood at the second one (the
 * same where there is none) and runs at the rate from there on. Undefined where it is none of these.
 */
export function parseClock(text: string): ClockWish | undefined {
  const [, rate, wallText, businessText = wallText] = CLOCK.exec(text) ?? [];
  if (rate === undefined) return undefined;
  if (wallText === undefined || businessText === undefined) return { rate: Number(rate) };
  const [wall, business] = [Date.parse(wallText), Date.parse(businessText)];
  if (Number.isNaN(wall) || Number.isNaN(business)) return undefined;
  return { rate: Number(rate), origin: { wall, business } };
}

/** The text that makes another process, with a database of its own, show the same business time. */
export function clockText({ rate, wall, business }: ClockOrigin): string {
  return `${rate}x@${new Date(wall).toISOString()}/${new Date(business).toISOString()}`;
}
