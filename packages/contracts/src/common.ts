import { type Static, type TSchema, Type } from 'typebox';

/** Objects of the API and of events are closed: an unknown member is refused, never dropped. */
export const CLOSED = { additionalProperties: false } as const;

export const Uuid = Type.String({ format: 'uuid', description: 'UUIDv7' });

/** RFC 3339 in UTC. */
export const InstantText = Type.String({ format: 'date-time', description: 'RFC 3339 in UTC, with milliseconds' });

/** ISO 8601 duration: PT25M. */
export const DurationText = Type.String({
  pattern: '^P(?=\\d|T\\d)(\\d{1,9}D)?(T(\\d{1,9}H)?(\\d{1,9}M)?(\\d{1,9}(\\.\\d{1,3})?S)?)?$',
  maxLength: 40,
  description: 'ISO 8601 duration, such as PT25M',
});

export const Currency = Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217 code' });

/** The largest amount of money in one figure, in minor units: ten million in a currency with cents. */
export const AMOUNT_MAX = 1_000_000_000;

/** The most pieces of one thing in one request: a line, a batch, a receipt. */
export const QUANTITY_MAX = 10_000;

export const MoneySchema = Type.Object({ amount: Type.Integer(), currency: Currency }, CLOSED);

/** Money that a request may name: not negative, and bounded. */
export const PriceSchema = Type.Object(
  { amount: Type.Integer({ minimum: 0, maximum: AMOUNT_MAX }), currency: Currency },
  CLOSED,
);

export const Quantity = Type.Integer({ minimum: 1, maximum: QUANTITY_MAX });

/** One line of text that a person typed: no control characters, no lone surrogates, not only white space. */
export function Text(maxLength: number) {
  return Type.String({ minLength: 1, maxLength, format: 'text-line' });
}

export function Literals<const Values extends readonly string[]>(values: Values) {
  return Type.Unsafe<Values[number]>({ type: 'string', enum: [...values] });
}

/** One page of a list, newest first unless said. */
export function Page<Item extends TSchema>(item: Item) {
  return Type.Object({ items: Type.Array(item), nextCursor: Type.Optional(Type.String()) }, CLOSED);
}

export const PageQuery = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
    cursor: Type.Optional(Type.String({ maxLength: 500 })),
  },
  CLOSED,
);
export type PageQuery = Static<typeof PageQuery>;

/** Schema of a 204, which has no body. */
export const NoContent = Type.Null({ description: 'Done; there is nothing to tell' });

export const IdParams = Type.Object({ id: Uuid }, CLOSED);

/** Who may do what; `manager` may do what `staff` may. */
export const ROLES = ['customer', 'staff', 'manager', 'machine'] as const;
export type Role = (typeof ROLES)[number];
