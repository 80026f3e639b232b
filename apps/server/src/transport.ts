import {
  kafkaTransport,
  type Announcer,
  type Log,
  postgresTransport,
  type Settings,
  type Transport,
} from '@provender/platform';

export type TransportPlace = {
  readonly processId: string;
  /** Hears and tells of commits to the same database. */
  readonly announcer: Announcer;
  readonly log: Log;
};

/** What carries events as the settings say: the database that all share, or Kafka between databases. */
export function transportOf(settings: Settings, { processId, announcer, log }: TransportPlace): Transport {
  if (settings.events === 'postgres') return postgresTransport({ announcer });
  return kafkaTransport({
    brokers: settings.kafkaBrokers ?? [],
    clientId: `provender ${settings.contexts.join(' ')}`.replaceAll(' ', '-'),
    topicPrefix: settings.kafkaTopicPrefix,
    partitions: settings.kafkaPartitions,
    processId,
    announcer,
    log,
  });
}
