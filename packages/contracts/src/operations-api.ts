import { Type } from 'typebox';
import { CLOSED, InstantText, Literals, Uuid } from './common.ts';
import { CONTEXT_NAMES } from './contexts.ts';

const ContextText = Literals(CONTEXT_NAMES);

/** Where contexts run apart, a list of all is gathered from each; what is missing is not known to be empty. */
const Missing = Type.Optional(Type.Array(ContextText, { description: 'Contexts that could not be asked' }));

/** How far each context has come in each log that it listens to. */
export const ConsumersView = Type.Object(
  {
    items: Type.Array(
      Type.Object(
        {
          consumer: ContextText,
          source: ContextText,
          position: Type.Integer({ description: 'The last event that it has looked at' }),
          head: Type.Integer({ description: 'The last event that there is' }),
          lag: Type.Integer(),
        },
        CLOSED,
      ),
    ),
    missing: Missing,
  },
  CLOSED,
);

export const ParkedView = Type.Object(
  {
    items: Type.Array(
      Type.Object(
        {
          id: Uuid,
          consumer: ContextText,
          source: ContextText,
          position: Type.Integer(),
          type: Type.String(),
          subject: Type.String(),
          error: Type.Optional(Type.String({ description: 'Absent: it only waits behind an event of its subject' })),
          attempts: Type.Integer(),
          parkedAt: InstantText,
        },
        CLOSED,
      ),
    ),
    missing: Missing,
  },
  CLOSED,
);

export const ReleasedView = Type.Object(
  { handled: Type.Integer({ description: 'How many events are no longer parked' }) },
  CLOSED,
);

export const VerificationQuery = Type.Object(
  { since: Type.Optional({ ...InstantText, description: 'Leaves out what happened before' }) },
  CLOSED,
);

export const VerificationView = Type.Object(
  {
    ok: Type.Boolean(),
    at: InstantText,
    checks: Type.Array(
      Type.Object(
        {
          name: Type.String(),
          promise: Type.String(),
          ok: Type.Boolean(),
          violations: Type.Array(Type.Object({}, { additionalProperties: true }), {
            description: 'The rows that break the promise, the first hundred',
          }),
        },
        CLOSED,
      ),
    ),
  },
  CLOSED,
);
