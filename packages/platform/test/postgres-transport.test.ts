import { postgresTransport } from '../src/index.ts';
import { transportContract } from './transport-contract.ts';

await transportContract('postgres', ({ url, processId, listens }) =>
  postgresTransport({ processId, ...(listens ? { listenUrl: url } : {}) }),
);
