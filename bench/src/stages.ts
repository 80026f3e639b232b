/** What a purchase says on its way, in order; the names of the stages in the figures. */
export const STAGES = ['placed', 'held', 'payment requested', 'captured', 'paid'] as const;
export type Stage = (typeof STAGES)[number];

/** When an order reached a stage, in milliseconds since 1970: as its event was written, just before the commit. */
export type StageReached = { readonly orderId: string; readonly stage: Stage; readonly at: number };

export type Spread = { readonly p50: number; readonly p99: number };

/** How long orders took to each stage from the one before, and from the first to the last. Milliseconds. */
export type StageLatencies = {
  readonly orders: number;
  readonly steps: Readonly<Record<Exclude<Stage, 'placed'>, Spread>>;
  readonly whole: Spread;
};

/** Gives the latencies of those orders that went all the way; undefined where there was none. */
export function stageLatencies(reached: readonly StageReached[]): StageLatencies | undefined {
  const orders = new Map<string, Map<Stage, number>>();
  for (const { orderId, stage, at } of reached) {
    const own = orders.get(orderId) ?? new Map<Stage, number>();
    orders.set(orderId, own.set(stage, at));
  }
  const whole = [...orders.values()].flatMap((own) => {
    const times = STAGES.map((stage) => own.get(stage)).filter((at) => at !== undefined);
    return times.length === STAGES.length ? [times] : [];
  });
  if (whole.length === 0) return undefined;
  const between = (from: number, to: number) => spread(whole.map((times) => (times[to] ?? 0) - (times[from] ?? 0)));
  return {
    orders: whole.length,
    steps: {
      held: between(0, 1),
      'payment requested': between(1, 2),
      captured: between(2, 3),
      paid: between(3, 4),
    },
    whole: between(0, STAGES.length - 1),
  };
}

function spread(milliseconds: readonly number[]): Spread {
  const sorted = milliseconds.toSorted((left, right) => left - right);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}
