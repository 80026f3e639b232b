import type { ContextModule } from '@provender/platform';
import { jobs, reactions } from './reactions.ts';
import { machineRoutes } from './routes/machines.ts';
import { orchestratorRoutes } from './routes/orchestrator.ts';

/** Vending machines, what they hold, their states, and the sessions on them. */
export const fleet: ContextModule = {
  context: 'fleet',
  migrations: new URL('../migrations/', import.meta.url),
  open: ({ db, clock, ids }) => ({
    reactions: reactions(),
    jobs: jobs(clock),
    routes(app) {
      machineRoutes(app, { db, ids });
      orchestratorRoutes(app, { db, ids });
    },
  }),
};
