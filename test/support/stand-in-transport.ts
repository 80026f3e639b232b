import type { ContextName } from '@provender/contracts';
import { type Database, openDatabase, postgresTransport, type Query, type Transport } from '@provender/platform';

/**
 * Carries events between contexts that have databases of their own, where there is no Kafka: each log is read by a
 * connection of its own. Of one process only; every context gets a transport from `of`.
 */
export type StandIn = { of(): Transport; close(): Promise<void> };

/** Takes the databases as superusers reach them. */
export function openStandIn(urls: Readonly<Record<ContextName, string>>): StandIn {
  const shared = postgresTransport();
  const logs = new Map<string, Database>();

  function logOf(source: ContextName): Database {
    const log =
      logs.get(source) ??
      openDatabase({ url: urls[source], schema: source, connectionsMax: 1, applicationName: 'stand-in transport' });
    logs.set(source, log);
    return log;
  }

  /** The transport asks for one log at a time, by a statement that is named after it. */
  const everyLog: Query = {
    query(statement, values) {
      const source = statement.name.replace('read-log-', '');
      if (!(source in urls)) throw new Error(`The stand-in reads logs only, and was asked for ${statement.name}`);
      return logOf(source as ContextName).query(statement, values);
    },
  };

  return {
    of: () => ({
      ...shared,
      subscribe: (consumer) => shared.subscribe({ ...consumer, query: everyLog }),
      close: async () => {},
    }),
    async close() {
      for (const log of logs.values()) await log.close();
    },
  };
}
