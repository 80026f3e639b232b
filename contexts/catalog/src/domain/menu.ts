import {
  CLOSING_DISCOUNT_BEFORE,
  isClosingDiscountTime,
  isOpen,
  type MenuItem,
  type MenuView,
  type SiteHours,
  tradingDay,
  tradingDayAt,
} from '@provender/contracts';
import {
  addDays,
  discounted,
  formatInstant,
  type Instant,
  instant,
  type Milliseconds,
  money,
  plus,
} from '@provender/kernel';
import type { Product } from './product.ts';

/** A product as it stands on one site's shelf: `fresh` units are free and outlast a hold that begins now. */
export type Offer = Pick<
  Product,
  'id' | 'name' | 'category' | 'description' | 'price' | 'stock' | 'closingDiscountPercent' | 'variations'
> & { readonly fresh: number };

/** What that site sells at this moment, and at which price. */
export function menuOf(site: SiteHours & { readonly id: string }, offers: readonly Offer[], now: Instant): MenuView {
  const closingSoon = isClosingDiscountTime(site, now);
  return {
    siteId: site.id,
    at: formatInstant(now),
    open: isOpen(site, now),
    items: offers.map((offer) => menuItem(offer, closingSoon)),
  };
}

function menuItem(offer: Offer, closingSoon: boolean): MenuItem {
  const { id: productId, name, category, description, price: listPrice, stock, fresh } = offer;
  const discountPercent = closingSoon ? offer.closingDiscountPercent : 0;
  const priceNow = (amount: number) => money(discounted(amount, discountPercent), listPrice.currency);
  return {
    productId,
    name,
    category,
    ...(description === null ? {} : { description }),
    listPrice,
    price: priceNow(listPrice.amount),
    discountPercent,
    available: stock === 'made-to-order' ? null : Math.max(0, fresh),
    variations: offer.variations.map((variation) => ({
      ...variation,
      price: priceNow(listPrice.amount + variation.priceDelta.amount),
    })),
  };
}

/**
 * Until when a menu read now may be shown: never past the moment at which the site opens, closes or begins its closing
 * discount, nor past the moment at which the next unit would no longer outlast a hold, nor longer than `keptFor`.
 */
export function menuValidUntil(
  hours: SiteHours,
  earliestStaleAt: Instant | null,
  now: Instant,
  { keptFor, holdTime }: { readonly keptFor: Milliseconds; readonly holdTime: Milliseconds },
): Instant {
  const today = tradingDayAt(hours, now);
  const tomorrow = tradingDay(hours, addDays(today.date, 1));
  const turns = [today, tomorrow].flatMap(({ opensAt, closesAt }) => [
    opensAt,
    plus(closesAt, -CLOSING_DISCOUNT_BEFORE),
    closesAt,
  ]);
  if (earliestStaleAt !== null) turns.push(plus(earliestStaleAt, -holdTime));
  return instant(Math.min(plus(now, keptFor), ...turns.filter((turn) => turn > now)));
}
