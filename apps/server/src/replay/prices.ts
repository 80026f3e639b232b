import { AMOUNT_MAX } from '@provender/contracts';
import { accept, type Result, refuse } from '@provender/kernel';
import { readLines } from './lines.ts';
import { fieldsOf, itemKey } from './till.ts';

/** What one piece of an item sells for and costs, in minor units of the currency. */
export type PriceOfItem = { readonly price: number; readonly unitCost: number | null };
export type PriceList = ReadonlyMap<string, PriceOfItem>;

export type BadPrices = { readonly kind: 'bad-prices'; readonly line: number; readonly detail: string };

/** A range of more than that is no shop's. */
const PRICES_MAX = 10_000;

/**
 * Reads a price list: CSV with the columns `item`, `price` and, where known, `cost`, in whole units with decimals
 * (`2.60`). Refuses the first line that is not right: a price that is wrong must not go unnoticed into the books.
 */
export async function readPrices(
  chunks: AsyncIterable<Uint8Array>,
  decimals: number,
): Promise<Result<PriceList, BadPrices>> {
  const prices = new Map<string, PriceOfItem>();
  let places: Record<'item' | 'price' | 'cost', number> | undefined;
  let delimiter = ',';
  for await (const { number, text } of readLines(chunks)) {
    const wrong = (detail: string) => refuse({ kind: 'bad-prices' as const, line: number, detail });
    if (text.trim() === '') continue;
    if (prices.size >= PRICES_MAX) return wrong(`has more than ${PRICES_MAX} items`);
    if (places === undefined && !text.includes(',') && text.includes(';')) delimiter = ';';
    const fields = fieldsOf(text, delimiter)?.map((field) => field.trim());
    if (fields === undefined) return wrong('has a quote without its other half');
    if (places === undefined) {
      const names = fields.map((name) => name.toLowerCase());
      places = { item: names.indexOf('item'), price: names.indexOf('price'), cost: names.indexOf('cost') };
      if (places.item < 0 || places.price < 0) return wrong('must be a header with the columns item,price,cost');
      continue;
    }
    const item = (fields[places.item] ?? '').replaceAll(/\s+/g, ' ');
    const price = readAmount(fields[places.price] ?? '', decimals);
    const cost = fields[places.cost] ?? '';
    const unitCost = cost === '' ? null : readAmount(cost, decimals);
    if (item === '') return wrong('names no item');
    if (price === undefined || unitCost === undefined) {
      return wrong(`must have amounts such as ${(2.6).toFixed(decimals)} for price and cost`);
    }
    prices.set(itemKey(item), { price, unitCost });
  }
  return accept(prices);
}

/**
 * `2.60`, `2,60`, `2.6` and `2` as minor units. Undefined where it is no amount, or has more decimals than the
 * currency.
 */
export function readAmount(text: string, decimals: number): number | undefined {
  const match = /^(\d{1,9})(?:[.,](\d+))?$/.exec(text);
  if (match === null || (match[2] ?? '').length > decimals) return undefined;
  const amount = Number(`${match[1]}${(match[2] ?? '').padEnd(decimals, '0')}`);
  return amount <= AMOUNT_MAX ? amount : undefined;
}

/** How many decimals an amount of a currency has: two for the euro, none for the yen. */
export function decimalsOf(currency: string): number {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  return format.resolvedOptions().maximumFractionDigits ?? 2;
}
