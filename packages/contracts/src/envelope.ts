import type { ContextName } from './contexts.ts';

/** What a use case says has happened; the log adds id, position and time. */
export type NewEvent<Type extends string = string, Data = unknown> = {
  readonly type: Type;
  /** Partition key: what one consumer sees in order. The site for a purchase, the account, the machine. */
  readonly key: string;
  /** What it is about: the order, the batch, the account. Its events take effect in order. */
  readonly subject: string;
  readonly data: Data;
  /** W3C trace context of the request or event that caused it. The platform sets it; see its trace.ts. */
  readonly traceparent?: string;
};

/** An event as it stands in the log of the context that said it (CloudEvents 1.0 by other names, see asyncapi.json). */
export type RecordedEvent<Type extends string = string, Data = unknown> = NewEvent<Type, Data> & {
  readonly id: string;
  readonly source: ContextName;
  /** Gapless within the source, in commit order. */
  readonly position: number;
  /** Business time, RFC 3339. */
  readonly time: string;
};
