// A process of its own for tests that kill or stop one. Takes its orders as JSON, says so on standard output when it
// runs, and goes on until it is killed.
import { randomUUID } from 'node:crypto';
import type { ContextName } from '@provender/contracts';
import {
  eventLog,
  kafkaTransport,
  manualClock,
  openDatabase,
  openReactor,
  type Reactions,
  randomIds,
  roleOf,
} from '../../src/index.ts';
import { instant } from '@provender/kernel';
import { greetings } from '../greetings.ts';
import { quiet } from './quiet.ts';

export type ChildOrders = {
  readonly brokers: readonly string[];
  readonly url: string;
  readonly topicPrefix: string;
  readonly partitions: number;
  readonly sessionMilliseconds: number;
  /** Carries the log of identity. */
  readonly carries?: boolean;
  /** Greets as catalog. */
  readonly consumes?: boolean;
  /** Stops itself, as SIGSTOP does, in the transaction that greets this one. */
  readonly stuckAt?: string;
};

// The test that starts this process has written them.
const orders = JSON.parse(process.argv[2] ?? '{}') as ChildOrders;
const clock = manualClock(instant(0));
const transport = kafkaTransport({
  brokers: orders.brokers,
  clientId: `child-${process.pid}`,
  topicPrefix: orders.topicPrefix,
  partitions: orders.partitions,
  sessionMilliseconds: orders.sessionMilliseconds,
  processId: randomUUID(),
  log: quiet,
});

function databaseOf(context: ContextName, purpose: string) {
  const log = eventLog(context, clock, randomIds());
  return openDatabase({
    url: orders.url,
    role: roleOf(context),
    schema: context,
    connectionsMax: 1,
    applicationName: `provender ${context} ${purpose} of a child`,
    seal: (query, said) => log.append(query, said),
  });
}

const REGISTERED = 'identity.user-registered.v1';
const greet = greetings()[REGISTERED];
let isStuck = false;

const reactions: Reactions = {
  async [REGISTERED](events, tx) {
    await greet?.(events, tx);
    if (isStuck || !events.some(({ subject }) => subject === orders.stuckAt)) return;
    isStuck = true;
    process.kill(process.pid, 'SIGSTOP');
  },
};

if (orders.carries === true) transport.carry?.({ context: 'identity', open: () => databaseOf('identity', 'relay') });
if (orders.consumes === true) {
  const reactor = openReactor({
    context: 'catalog',
    db: databaseOf('catalog', 'loop'),
    log: eventLog('catalog', clock, randomIds()),
    transport,
    reactions,
    onError: () => {},
  });
  await reactor.start();
}
console.log('runs');
