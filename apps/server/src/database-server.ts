import { resolve } from 'node:path';
import type { ContextName } from '@provender/contracts';
import { attachEmbeddedPostgres, hasEmbeddedPostgres, type Settings, startEmbeddedPostgres } from '@provender/platform';

/** The PostgreSQL that this process uses: that of `DATABASE_URL`, or the embedded one, which it starts and stops. */
export type DatabaseServer = { readonly url: string; readonly embedded: boolean; stop(): Promise<void> };

/** `serverSettings` are for an embedded one, such as how many connections it takes. */
export async function openDatabaseServer(
  settings: Settings,
  log: (line: string) => void,
  serverSettings: Readonly<Record<string, string>> = {},
): Promise<DatabaseServer> {
  if (settings.databaseUrl !== undefined) {
    return { url: settings.databaseUrl, embedded: false, stop: async () => {} };
  }
  const server = await startEmbeddedPostgres({
    dataFolder: resolve(settings.dataFolder),
    settings: serverSettings,
    log,
  });
  return { url: server.url, embedded: true, stop: () => server.stop() };
}

/**
 * Opens the database of the settings for a command that works on what is there: one that runs already is used beside
 * whoever runs it and left running; else it is started, and stopped again. Throws where none was ever started. Where
 * contexts have databases of their own, it is that of the context named.
 */
export async function useDatabaseServer(
  settings: Settings,
  log: (line: string) => void,
  context?: ContextName,
): Promise<DatabaseServer> {
  const own = context === undefined ? undefined : settings.databaseUrls?.[context];
  if (own !== undefined) return { url: own, embedded: false, stop: async () => {} };
  if (settings.databaseUrl !== undefined) return openDatabaseServer(settings, log);
  const dataFolder = resolve(settings.dataFolder);
  if (!hasEmbeddedPostgres(dataFolder)) {
    throw new Error(
      `There is no database in ${dataFolder} yet: run npm start first, or set PROVENDER_DATA or DATABASE_URL.`,
    );
  }
  const running = await attachEmbeddedPostgres(dataFolder);
  if (running !== undefined) return { url: running.url, embedded: true, stop: async () => {} };
  return openDatabaseServer(settings, log);
}
