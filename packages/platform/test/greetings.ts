import type { RecordedEvent } from '@provender/contracts';
import type { Reactions } from '../src/index.ts';
import { withdrawn } from './toy-context.ts';

const GREET = {
  name: 'greet',
  text: `INSERT INTO greetings (subject, position, text, heard_at)
    SELECT subject, position, text, now()
    FROM unnest($1::text[], $2::bigint[], $3::text[]) AS heard (subject, position, text)`,
};

/** What `catalog` does in these tests: one statement and one event for each person. */
export function greetings(meet: (event: RecordedEvent) => void | Promise<void> = () => {}): Reactions {
  return {
    async 'identity.user-registered.v1'(events, tx) {
      for (const event of events) await meet(event);
      await tx.query(GREET, [
        events.map((event) => event.subject),
        events.map((event) => event.position),
        events.map((event) => event.data.email),
      ]);
      tx.append(events.map((event) => withdrawn(event.subject)));
    },
  };
}
