import { randomUUID } from 'node:crypto';
import type { Said } from '@provender/contracts';
import type { Instant } from '@provender/kernel';
import { type ContextModule, type OpenContext, scheduleTimer, statement } from '../src/index.ts';

const GREET = statement(
  'greet',
  `INSERT INTO greetings (subject, position, text, heard_at)
   SELECT subject, position, text, $4
   FROM unnest($1::text[], $2::bigint[], $3::text[]) AS heard (subject, position, text)`,
);

export type Toy = OpenContext & {
  /** Sets a timer that leaves a greeting by the name `reminder`. */
  remindAt(moment: Instant): Promise<void>;
};

export type ToyOptions = {
  /** Called with each subject in the reaction's transaction; what it throws, the reaction throws. */
  readonly meet?: (subject: string) => void;
  readonly extra?: Partial<OpenContext>;
};

/** A context of the tests: it greets whoever registers, in a table, and says so with an event. */
export function toyModule(options: ToyOptions = {}): ContextModule<Toy> {
  return {
    context: 'catalog',
    migrations: new URL('./toy-migrations/', import.meta.url),
    open: ({ db, clock }) => ({
      reactions: {
        async 'identity.user-registered.v1'(events, tx) {
          for (const event of events) options.meet?.(event.subject);
          await tx.query(GREET, [
            events.map((event) => event.subject),
            events.map((event) => event.position),
            events.map((event) => event.data.email),
            new Date(clock.now()),
          ]);
          tx.append(events.map((event) => withdrawn(event.subject)));
        },
      },
      jobs: {
        async remind(timer, tx) {
          await tx.query(GREET, [['reminder'], [0], [timer.key], new Date(clock.now())]);
          return null;
        },
      },
      remindAt: (moment) => db.withTx((tx) => scheduleTimer(tx, { name: 'remind', key: 'me', dueAt: moment })),
      ...options.extra,
    }),
  };
}

export function registered(subject: string): Said {
  return {
    type: 'identity.user-registered.v1',
    key: subject,
    subject,
    data: { userId: randomUUID(), email: `${subject}@example.org`, name: subject, roles: ['customer'] },
  };
}

export function withdrawn(subject: string): Said {
  return { type: 'catalog.product-withdrawn.v1', key: subject, subject, data: { productId: randomUUID() } };
}
