/** What tests, the bench and the replay take from the server; whoever runs it uses `main.ts`. */
export { advanceTo } from './advance.ts';
export { openServer, type Server } from './server.ts';
export { modules, type System } from './system.ts';
export type { DatabaseUrls } from './verify/homes.ts';
export { type CheckMoment, type CheckOutcome, runCheck } from './verify/run-check.ts';
export { type Verification, verifyPromises } from './verify/run-checks.ts';
export { type Check, checksFor } from './verify/checks.ts';
export { partitionOf } from './verify/consumed.ts';
export { LISTENS } from './verify/log-checks.ts';
