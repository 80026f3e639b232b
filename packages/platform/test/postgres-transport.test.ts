import { postgresTransport } from '../src/index.ts';
import { transportContract } from './transport-contract.ts';

transportContract('postgres', ({ url, processId, listens }) =>
  postgresTransport({ processId, ...(listens ? { listenUrl: url } : {}) }),
);
