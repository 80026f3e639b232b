import type { MessageDelivered } from '@provender/contracts';
import { formatInstant, type Milliseconds, MINUTE } from '@provender/kernel';
import { type Clock, type Database, type Log, openBell, stopwatch, type Tx } from '@provender/platform';
import type { Channel, Outcome } from '../channels/channel.ts';
import { EMAIL_LANE, REDIS_LANE } from '../domain/audience.ts';
import { LASTING_FAILURE, laneRest, waitAfter } from '../domain/retry.ts';
import {
  claimMessages,
  dueLanes,
  giveBack,
  type Outgoing,
  readOutgoing,
  recordTries,
  type Tried,
} from '../store/messages.ts';
import { disableWebhook, webhookFails, webhookSucceeds } from '../store/webhooks.ts';

/** How often it is looked whether something has fallen due, wall time; what was just written down goes at once. */
const LOOK_EVERY: Milliseconds = 1_000;
/** Longer than any channel tries a set of messages: whoever has one that long has died. */
const LEASE: Milliseconds = 5 * MINUTE;
/** Lanes that are sent to side by side: a slow one takes nothing from the others. */
const LANES_AT_ONCE_MAX = 32;

export type SenderPlace = {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly channels: readonly Channel[];
  /** From 0 to below 1, by chance: spreads those who failed together. */
  readonly chance: () => number;
};

export type Sender = {
  start(): void;
  /** Something may have been written down. */
  wake(): void;
  /** Resolves once nothing is due now: all is sent, or waits for another try. */
  sent(): Promise<void>;
  /** Ends what is under way, and sends no more. */
  stop(): Promise<void>;
};

/**
 * Sends what is written down, outside of any business transaction. Each lane (the mail server, Redis, one webhook) has
 * its own turn, so that a dead one holds up nobody else. Messages are claimed for a while, tried, and recorded: several
 * processes may do so at once, and whoever dies leaves its claims to the others.
 */
export function openSender({ db, clock, log, channels, chance }: SenderPlace): Sender {
  const bell = openBell();
  const busy = new Map<string, Promise<void>>();
  const closed = new Map<string, { failures: number; since: () => Milliseconds; rest: Milliseconds }>();
  const fixedLanes = channels.flatMap(({ name }) => (name === 'webhook' ? [] : [laneOfChannel(name)]));
  let stopping = false;
  let running: Promise<void> | undefined;

  function channelOf(lane: string): Channel | undefined {
    const name = lane === EMAIL_LANE ? 'email' : lane === REDIS_LANE ? 'redis' : 'webhook';
    return channels.find((channel) => channel.name === name);
  }

  function isResting(lane: string): boolean {
    const found = closed.get(lane);
    return found !== undefined && found.since() < found.rest;
  }

  async function loop(): Promise<void> {
    while (!stopping) {
      bell.silence();
      try {
        for (const lane of await dueLanes(db, fixedLanes)) {
          if (busy.size >= LANES_AT_ONCE_MAX) break;
          if (!busy.has(lane) && !isResting(lane)) begin(lane);
        }
      } catch (error) {
        log.warn({ err: error }, 'Messages cannot be sent for the moment');
      }
      await bell.wait(LOOK_EVERY);
    }
  }

  async function sent(): Promise<void> {
    while (!stopping) {
      await Promise.all(busy.values());
      const due = (await dueLanes(db, fixedLanes)).filter((lane) => !isResting(lane));
      if (due.length === 0 && busy.size === 0) return;
      bell.ring();
    }
  }

  function begin(lane: string): void {
    const work = sendLane(lane)
      .catch((error: unknown) => log.warn({ err: error, lane }, 'Messages of a lane could not be sent'))
      .finally(() => busy.delete(lane));
    busy.set(lane, work);
  }

  /** Sends what a lane has, set by set, until there is no more or its door is found closed. */
  async function sendLane(lane: string): Promise<void> {
    const channel = channelOf(lane);
    if (channel === undefined) return;
    while (!stopping) {
      const claimed = await db.withTx((tx) => claimMessages(tx, lane, LEASE, !closed.has(lane)));
      if (claimed.length === 0) return;
      const messages = await readOutgoing(
        db,
        claimed.map(({ id }) => id),
      );
      const outcomes = await channel.send(messages);
      await db.withTx((tx) => record(tx, lane, messages, outcomes));
      if (outcomes.some((outcome) => outcome.kind === 'failed' && outcome.isClosed)) return rest(lane);
      closed.delete(lane);
    }
  }

  function rest(lane: string): void {
    const failures = (closed.get(lane)?.failures ?? 0) + 1;
    closed.set(lane, { failures, since: stopwatch(), rest: laneRest(failures) });
  }

  async function record(tx: Tx, lane: string, messages: readonly Outgoing[], outcomes: readonly Outcome[]) {
    const tried: Tried[] = [];
    const untried: Outgoing[] = [];
    for (const [index, message] of messages.entries()) {
      const outcome = outcomes[index] ?? { kind: 'untried' };
      if (outcome.kind === 'untried') untried.push(message);
      else tried.push(triedOf(message, outcome, chance()));
    }
    await giveBack(tx, untried);
    const recorded = await recordTries(tx, tried);
    const delivered = tried.filter(({ id, ok }) => ok && recorded.has(id));
    const at = formatInstant(clock.now());
    const ids = new Set(delivered.map(({ id }) => id));
    tx.append(
      messages.filter(({ id, userId }) => userId !== null && ids.has(id)).map((each) => saysDelivered(each, at)),
    );
    if (channelOf(lane)?.name === 'webhook') await judgeWebhook(tx, lane, outcomes);
  }

  return {
    start: () => void (running ??= loop()),
    wake: bell.ring,
    sent,
    async stop() {
      stopping = true;
      bell.ring();
      await running;
      await Promise.all(busy.values());
      await Promise.all(channels.map((channel) => channel.close()));
    },
  };
}

function laneOfChannel(name: Channel['name']): string {
  return name === 'email' ? EMAIL_LANE : REDIS_LANE;
}

function triedOf(
  { id, tries, triesCounted }: Outgoing,
  outcome: Exclude<Outcome, { kind: 'untried' }>,
  chance: number,
): Tried {
  const { detail, milliseconds } = outcome;
  if (outcome.kind === 'delivered') return { id, tries, ok: true, detail, milliseconds, waitMilliseconds: null };
  const wait = outcome.isFinal ? undefined : waitAfter(triesCounted, chance);
  return { id, tries, ok: false, detail, milliseconds, waitMilliseconds: wait ?? null };
}

/** A webhook that has taken nothing for days, or says that it wants no more, is disabled; what is for it is held. */
async function judgeWebhook(tx: Tx, id: string, outcomes: readonly Outcome[]): Promise<void> {
  if (outcomes.some(({ kind }) => kind === 'delivered')) return webhookSucceeds(tx, id);
  const failures = outcomes.filter((outcome) => outcome.kind === 'failed');
  if (failures.length === 0) return;
  const isLasting = await webhookFails(tx, id, LASTING_FAILURE);
  if (failures.some(({ isUnwanted }) => isUnwanted === true)) {
    await disableWebhook(tx, id, 'It answered 410: it wants no more.');
  } else if (isLasting) {
    await disableWebhook(tx, id, 'It has taken nothing for three days.');
  }
}

function saysDelivered({ id, userId, kind, orderId, traceparent }: Outgoing, deliveredAt: string) {
  const data: MessageDelivered = {
    messageId: id,
    userId: userId ?? '',
    channel: 'email',
    kind,
    ...(orderId === null ? {} : { orderId }),
    deliveredAt,
  };
  const type = 'notifications.message-delivered.v1' as const;
  return { type, key: data.userId, subject: data.userId, data, ...(traceparent === null ? {} : { traceparent }) };
}
