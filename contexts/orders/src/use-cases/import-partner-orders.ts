import { accept, type Instant, type Result, refuse } from '@provender/kernel';
import { fetchDocument, type Ids, type SourceAnswer, type Tx } from '@provender/platform';
import { type FeedReport, planImport, readPartnerFeed } from '../domain/partner-feed.ts';
import { countPartnerOrders, insertPartnerOrders, readByNumber } from '../store/partner-orders.ts';

const ANSWER_MILLISECONDS_MAX = 10_000;
const ANSWER_BYTES_MAX = 16 * 1_024 * 1_024;

export type Imported = {
  readonly imported: number;
  readonly known: number;
  readonly changed: number;
  readonly broken: number;
  /** Everything that was not taken. */
  readonly reports: readonly FeedReport[];
};

/** The feed could not be had, or is none. */
export type FeedUnavailable = { readonly kind: 'feed-unavailable'; readonly detail: string };

/** Asks the partner for the feed; the partner's own data is never written to. */
export function askForFeed(url: string): Promise<SourceAnswer> {
  return fetchDocument({ url, timeoutMilliseconds: ANSWER_MILLISECONDS_MAX, bodyBytesMax: ANSWER_BYTES_MAX });
}

/**
 * Imports what the partner has answered: orders with numbers that are not here yet. Those that are here stay as they
 * are, whatever the feed says of them now, so that an import may be repeated. Refuses a feed that could not be had.
 */
export async function importPartnerOrders(
  tx: Tx,
  ids: Ids,
  answer: SourceAnswer,
  now: Instant,
): Promise<Result<Imported, FeedUnavailable>> {
  if (answer.kind === 'fault') return refuse({ kind: 'feed-unavailable', detail: answer.fault.detail });
  if (answer.kind === 'not-modified') throw new Error('The feed was asked for without a condition');
  const feed = readPartnerFeed(answer.document);
  if (!feed.ok) return refuse({ kind: 'feed-unavailable', detail: feed.refusal.detail });
  const { orders, broken } = feed.value;
  const numbers = orders.map(({ number }) => number);
  const [here, hereCount] = await Promise.all([readByNumber(tx, numbers), countPartnerOrders(tx)]);
  const { fresh, left, known, changed } = planImport(orders, here, hereCount);
  const imported = await insertPartnerOrders(tx, withIds(fresh, ids), now);
  return accept({
    imported,
    known: known + fresh.length - imported,
    changed: changed.length,
    broken: broken.length + left.length,
    reports: [...broken, ...changed, ...left],
  });
}

/** In the order of the feed: they are processed in the order of their ids. */
function withIds<Item>(items: readonly Item[], ids: Ids): (Item & { readonly id: string })[] {
  const sorted = items.map(() => ids.next()).sort();
  // There are as many ids as items.
  return items.map((item, nth) => ({ ...item, id: sorted[nth] as string }));
}
