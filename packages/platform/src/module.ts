import type { ContextName, RecordedEvent } from '@provender/contracts';
import type { Clock } from './clock.ts';
import type { Database, Tx } from './database.ts';
import type { HttpApp } from './http/route-types.ts';
import type { Ids } from './ids.ts';
import type { Reactions } from './reactions.ts';
import type { Intake } from './reactor.ts';
import type { Settings } from './settings.ts';
import type { Jobs } from './timers.ts';

/** The least that a context needs to say what went wrong; pino fits. */
export type Log = {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
};

/** What the platform gives to a context. Nothing else reaches it. */
export type ContextPlatform = {
  readonly db: Database;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly settings: Settings;
  readonly log: Log;
  /** Where this system is reached from outside; known once the server listens. Issuer of tokens, base of links. */
  publicUrl(): string;
  /** Hands a command to this context's intake; resolves with its outcome once the set has committed. */
  submit(command: unknown): Promise<unknown>;
  /**
   * Resolves once no crash can undo what this context's loop has committed so far. The loop itself does not wait for
   * the disk: whoever tells somebody outside of what it did waits for this first (docs/decisions/0030).
   */
  durable(): Promise<void>;
};

/** What a context gives to the platform: adapters around its use cases. */
export type OpenContext = {
  readonly reactions?: Reactions;
  /** Only consumes, and nobody waits for it: it rests so long between sets, so that each carries much. */
  readonly restMilliseconds?: number;
  readonly intake?: Intake;
  readonly jobs?: Jobs;
  /** Adds the context's routes, by `read` and `write` of the platform. */
  readonly routes?: (app: HttpApp) => void | Promise<void>;
  /** Runs in a transaction at each start: sets recurring timers, makes keys. Several processes may do so at once. */
  readonly prepare?: (tx: Tx) => Promise<void>;
  /** Own events that this process has just committed. */
  readonly afterCommit?: (events: readonly RecordedEvent[]) => void;
  /**
   * Another process may have committed to this context's log. Not told each time; what is missed, a slow look finds.
   */
  readonly afterOthersCommit?: () => void;
  /** This context's loop has just committed a set: caches over its tables are out of date. */
  readonly afterConsumed?: () => void;
  /** Resolves once what is due to the outside has been sent, or waits for another try. */
  readonly sent?: () => Promise<void>;
  readonly close?: () => Promise<void>;
};

export type ContextModule<Open extends OpenContext = OpenContext> = {
  readonly context: ContextName;
  /** Folder of the context's numbered SQL files. */
  readonly migrations: URL;
  readonly open: (platform: ContextPlatform) => Open;
};
