import type { ContextModule } from '@provender/platform';
import { reactions } from './reactions.ts';
import { routes } from './routes.ts';
import { BAKE, runSchedule } from './use-cases/bake-due.ts';

export type { Batch } from './domain/batch.ts';
export type { Schedule } from './domain/schedule.ts';
export { bakeBatch } from './use-cases/bake-batch.ts';
export { defineSchedule } from './use-cases/define-schedule.ts';
export { endSchedule, reviseSchedule } from './use-cases/revise-schedule.ts';

/** Schedules and batches: what is baked where, when, and how much of it. */
export const production: ContextModule = {
  context: 'production',
  migrations: new URL('../migrations/', import.meta.url),
  open: ({ db, clock, ids }) => ({
    reactions: reactions(clock, ids),
    jobs: { [BAKE]: (timer, tx) => runSchedule(tx, ids, timer.key, clock.now()) },
    routes: (app) => routes(app, { db, ids }),
  }),
};
