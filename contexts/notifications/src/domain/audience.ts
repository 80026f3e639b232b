import type { NoticeChannel, NoticeKind, Role } from '@provender/contracts';
import type { Notice } from './notice.ts';
import { type Preferences, passesLimit } from './preferences.ts';

/** Somebody who may hear of something. */
export type Listener = {
  readonly id: string;
  readonly email: string;
  readonly roles: readonly Role[];
  readonly preferences: Preferences;
};

/** A webhook that is there, with what its owner wants it to hear. */
export type Receiver = {
  readonly id: string;
  readonly kinds: readonly NoticeKind[];
  readonly isDisabled: boolean;
  readonly ownerId: string;
};

/** One notice for one address. */
export type Addressed = {
  readonly notice: Notice;
  readonly channel: NoticeChannel;
  readonly address: string;
  readonly lane: string;
  readonly userId?: string;
  readonly isHeld: boolean;
};

export const EMAIL_LANE = 'email';
export const REDIS_LANE = 'redis';

/** How a day's waste at a site has grown, for notices of waste. */
export type WasteStep = { readonly before: number; readonly after: number; readonly currency: string };

export type Audience = {
  readonly people: ReadonlyMap<string, Listener>;
  readonly receivers: readonly Receiver[];
  /** Notices are published for other programs as well. */
  readonly publishes: boolean;
};

/** Takes a notice and who there is. Gives every address that it is for, each once. */
export function addressesOf(notice: Notice, audience: Audience, waste?: WasteStep): Addressed[] {
  return [
    ...mails(notice, audience, waste),
    ...calls(notice, audience, waste),
    ...(audience.publishes && (waste === undefined || passesLimit(undefined, waste)) ? [published(notice)] : []),
  ];
}

function mails(notice: Notice, { people }: Audience, waste?: WasteStep): Addressed[] {
  const to = concerned(notice, people).filter(({ preferences }) => wants(preferences, 'email', notice.kind, waste));
  const seen = new Set<string>();
  return to.flatMap(({ id, email }) => {
    if (seen.has(email)) return [];
    seen.add(email);
    return [{ notice, channel: 'email', address: email, lane: EMAIL_LANE, userId: id, isHeld: false }];
  });
}

/** Who may hear of it at all: of what is a customer's own nobody else hears by mail. */
function concerned({ concerns }: Notice, people: ReadonlyMap<string, Listener>): readonly Listener[] {
  if (concerns === 'nobody') return [];
  if (concerns === 'house') return [...people.values()].filter(isOfTheHouse);
  const customer = people.get(concerns.customerId);
  return customer === undefined ? [] : [customer];
}

export function isOfTheHouse({ roles }: { readonly roles: readonly Role[] }): boolean {
  return roles.includes('staff') || roles.includes('manager');
}

/** Webhooks are made by managers, and hear of whatever happens: while their owner still is one. */
function calls(notice: Notice, { receivers, people }: Audience, waste?: WasteStep): Addressed[] {
  return receivers.flatMap(({ id, kinds, ownerId, isDisabled }) => {
    const owner = people.get(ownerId);
    if (owner?.roles.includes('manager') !== true || !kinds.includes(notice.kind)) return [];
    if (!wants(owner.preferences, 'webhook', notice.kind, waste)) return [];
    return [{ notice, channel: 'webhook', address: id, lane: id, isHeld: isDisabled }];
  });
}

function wants(preferences: Preferences, by: 'email' | 'webhook', kind: NoticeKind, waste?: WasteStep): boolean {
  if (!preferences[by].includes(kind)) return false;
  return waste === undefined || passesLimit(preferences.wasteLimit, waste);
}

/** `orders.order-paid.v1` goes to `provender.orders.order-paid`. */
function published(notice: Notice): Addressed {
  const address = `provender.${notice.type.replace(/\.v\d+$/, '')}`;
  return { notice, channel: 'redis', address, lane: REDIS_LANE, isHeld: false };
}
