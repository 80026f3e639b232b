import { openAnnouncer, postgresTransport } from '../src/index.ts';
import { transportContract } from './transport-contract.ts';

await transportContract('postgres', ({ url, processId, listens }) =>
  postgresTransport(listens ? { announcer: openAnnouncer(url, processId) } : {}),
);
