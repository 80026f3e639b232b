import { itemKey } from './till.ts';

/** How the shop has a kind of goods on its shelf. */
export type Keeping = 'made-to-order' | 'bread' | 'pastry' | 'cake' | 'bought-in';

export type KeepingRules = {
  readonly label: string;
  readonly stock: 'unit' | 'made-to-order';
  readonly shelfLifeMinutes: number | null;
  readonly keepsOvernight: boolean;
  readonly closingDiscountPercent: number;
  /** What is put on the shelf when the item is seen for the first time: on the first day of the file, and later. */
  readonly firstTray: number;
  readonly laterTray: number;
  /** For how many days' demand the shelf is filled, where goods keep. */
  readonly coverDays: number;
  /** Where nobody named a price: in minor units. */
  readonly price: number;
  readonly unitCost: number;
};

const HOUR_MINUTES = 60;
const DAY_MINUTES = 24 * HOUR_MINUTES;

export const keepings: Readonly<Record<Keeping, KeepingRules>> = {
  'made-to-order': {
    ...{ label: 'Made to order', stock: 'made-to-order', shelfLifeMinutes: null, keepsOvernight: false },
    ...{ closingDiscountPercent: 0, firstTray: 0, laterTray: 0, coverDays: 0, price: 480, unitCost: 160 },
  },
  bread: {
    ...{ label: 'Bread', stock: 'unit', shelfLifeMinutes: 14 * HOUR_MINUTES, keepsOvernight: false },
    ...{ closingDiscountPercent: 40, firstTray: 20, laterTray: 6, coverDays: 1, price: 320, unitCost: 110 },
  },
  pastry: {
    ...{ label: 'Pastry', stock: 'unit', shelfLifeMinutes: 12 * HOUR_MINUTES, keepsOvernight: false },
    ...{ closingDiscountPercent: 30, firstTray: 12, laterTray: 4, coverDays: 1, price: 240, unitCost: 75 },
  },
  cake: {
    ...{ label: 'Cakes and biscuits', stock: 'unit', shelfLifeMinutes: 3 * DAY_MINUTES, keepsOvernight: true },
    ...{ closingDiscountPercent: 20, firstTray: 10, laterTray: 4, coverDays: 1, price: 280, unitCost: 90 },
  },
  'bought-in': {
    ...{ label: 'Bought in', stock: 'unit', shelfLifeMinutes: 120 * DAY_MINUTES, keepsOvernight: true },
    ...{ closingDiscountPercent: 0, firstTray: 12, laterTray: 6, coverDays: 7, price: 350, unitCost: 180 },
  },
};

/** An item by name: how it is kept, and the price and cost that are assumed where no file names them. */
type Known = readonly [keeping: Keeping, price: number, unitCost: number];

const NAMED: ReadonlyMap<string, Known> = new Map<string, Known>([
  ['coffee', ['made-to-order', 260, 45]],
  ['tea', ['made-to-order', 230, 30]],
  ['hot chocolate', ['made-to-order', 320, 85]],
  ['sandwich', ['made-to-order', 520, 190]],
  ['toast', ['made-to-order', 250, 60]],
  ['soup', ['made-to-order', 480, 140]],
  ['salad', ['made-to-order', 650, 240]],
  ['smoothies', ['made-to-order', 390, 140]],
  ['frittata', ['made-to-order', 580, 200]],
  ['spanish brunch', ['made-to-order', 890, 320]],
  ['chicken stew', ['made-to-order', 750, 280]],
  ['hearty & seasonal', ['made-to-order', 750, 270]],
  ['tartine', ['made-to-order', 650, 230]],
  ['keeping it local', ['made-to-order', 690, 260]],
  ['the nomad', ['made-to-order', 720, 260]],
  ['bread', ['bread', 340, 110]],
  ['farm house', ['bread', 380, 125]],
  ['scandinavian', ['bread', 360, 120]],
  ['baguette', ['bread', 190, 60]],
  ['focaccia', ['bread', 380, 120]],
  ['pastry', ['pastry', 240, 75]],
  ['medialuna', ['pastry', 160, 50]],
  ['scone', ['pastry', 230, 65]],
  ['muffin', ['pastry', 240, 75]],
  ['cake', ['cake', 340, 110]],
  ['cookies', ['cake', 160, 45]],
  ['brownie', ['cake', 260, 80]],
  ['alfajores', ['cake', 200, 65]],
  ['tiffin', ['cake', 240, 80]],
  ['fudge', ['cake', 300, 100]],
  ['juice', ['bought-in', 260, 110]],
  ['coke', ['bought-in', 190, 80]],
  ['mineral water', ['bought-in', 160, 45]],
  ['jam', ['bought-in', 450, 230]],
  ['tshirt', ['bought-in', 1_500, 700]],
  ['art tray', ['bought-in', 1_200, 600]],
  ['afternoon with the baker', ['bought-in', 4_500, 2_000]],
  ['extra salami or feta', ['made-to-order', 120, 40]],
]);

/** For items that nobody named: the first word that fits says how it is kept. */
const BY_WORD: readonly (readonly [Keeping, RegExp])[] = [
  ['bought-in', /granules|beans\b|ground coffee|t-?shirt|card|voucher|gift|bag\b|basket|book|tray|syrup|spread|oil\b/],
  ['bought-in', /water|coke|cola|lemonade|juice|crisps|popcorn|pouch|honey|jam\b|muesli|granola|bottle|shoot|bar\b/],
  ['bought-in', /chocolates|dulce de leche|sweets|mints|candle|mug\b|doors|bowls?\b/],
  [
    'made-to-order',
    /coffee|espresso|latte|cappuccino|americano|flat white|mocha|macchiato|chai|\btea\b|hot choc|cocoa/,
  ],
  ['made-to-order', /sandwich|\bsand\b|toast|panini|soup|stew|salad|brunch|breakfast|egg|omelette|bacon|crepe|pancake/],
  ['made-to-order', /smoothie|shake|feast|burger|pizza|taco|fajita|pintxos|polenta|platter|protein|extra /],
  ['bread', /bread|loaf|baguette|roll\b|bun\b|sourdough|ciabatta|focaccia|rye|farm ?house|brioche|bagel|pretzel/],
  [
    'cake',
    /cake|cookie|biscuit|brownie|fudge|tart|sponge|shortbread|truffle|pie\b|panatone|panettone|tiffin|bites|dodger/,
  ],
  ['pastry', /croissant|pastry|danish|muffin|scone|donut|doughnut|medialuna|swirl|empanada|eclair|strudel/],
];

const FALLBACK: Keeping = 'pastry';

export type Classified = {
  readonly keeping: Keeping;
  readonly price: number;
  readonly unitCost: number;
  /** True where the list names the item; else words in its name decided, or nothing did. */
  readonly isNamed: boolean;
};

/**
 * How an item is kept, and the price that is assumed for it. What no list and no word knows is taken to be baked here
 * and fresh for a day: a bakery that guesses wrong this way throws something out, and never sells what is stale.
 */
export function classify(item: string): Classified {
  const key = itemKey(item);
  const named = NAMED.get(key);
  if (named !== undefined) return { keeping: named[0], price: named[1], unitCost: named[2], isNamed: true };
  const keeping = BY_WORD.find(([, words]) => words.test(key))?.[0] ?? FALLBACK;
  return { keeping, price: keepings[keeping].price, unitCost: keepings[keeping].unitCost, isNamed: false };
}
