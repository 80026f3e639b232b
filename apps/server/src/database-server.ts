import { resolve } from 'node:path';
import { type Settings, startEmbeddedPostgres } from '@provender/platform';

/** The PostgreSQL that this process uses: one given by `DATABASE_URL`, or the embedded one, which it starts and stops. */
export type DatabaseServer = { readonly url: string; readonly embedded: boolean; stop(): Promise<void> };

export async function openDatabaseServer(settings: Settings, log: (line: string) => void): Promise<DatabaseServer> {
  if (settings.databaseUrl !== undefined) {
    return { url: settings.databaseUrl, embedded: false, stop: async () => {} };
  }
  const server = await startEmbeddedPostgres({ dataFolder: resolve(settings.dataFolder), log });
  return { url: server.url, embedded: true, stop: () => server.stop() };
}
