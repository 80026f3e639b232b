import type { BatchDraft, ProductDraft, ReceiptDraft, ScheduleDraft, SiteDraft } from '@provender/contracts';

/**
 * The ids of the demo town are always the same, so that loading it twice, or going on after a crash, changes nothing.
 */
function townId(kind: number, number: number): string {
  return `019a0000-0000-7000-8${kind.toString(16).padStart(3, '0')}-${number.toString(16).padStart(12, '0')}`;
}

type Sited = { readonly id: string; readonly draft: SiteDraft };

const SHOP = { kind: 'shop', timeZone: 'Europe/Berlin', currency: 'EUR' } as const;

/**
 * A bakery-café with hours, and one around the clock: whoever starts the demo at night finds a counter that is open.
 */
export const sites: readonly Sited[] = [
  { id: townId(1, 1), draft: { ...SHOP, name: 'Harbour Bakery', opensAt: '07:00', closesAt: '18:00' } },
  { id: townId(1, 2), draft: { ...SHOP, name: 'Station Counter', opensAt: '00:00', closesAt: '24:00' } },
];

type Ranged = {
  readonly id: string;
  readonly variationIds: readonly string[];
  readonly draft: ProductDraft;
  /** How a day bakes it, and how many stand on the shelf when the town begins. */
  readonly baking?: { readonly every: string; readonly quantity: number };
};

function euro(amount: number) {
  return { amount, currency: 'EUR' };
}

let productCount = 0;
let variationCount = 0;

function ranged(draft: ProductDraft, baking?: Ranged['baking']): Ranged {
  productCount += 1;
  const variationIds = (draft.variations ?? []).map(() => {
    variationCount += 1;
    return townId(3, variationCount);
  });
  return { id: townId(2, productCount), variationIds, draft, ...(baking === undefined ? {} : { baking }) };
}

/** Baked here, kept on the shelf, stale after its time. */
function baked(
  [sku, name, category]: readonly [string, string, string],
  [price, unitCost]: readonly [number, number],
  [shelfLife, closingDiscountPercent]: readonly [string, number],
  baking: NonNullable<Ranged['baking']>,
): Ranged {
  const draft = { sku, name, category, price: euro(price), unitCost: euro(unitCost), stock: 'unit' as const };
  return ranged({ ...draft, shelfLife, closingDiscountPercent }, baking);
}

type Variations = NonNullable<ProductDraft['variations']>;

const SIZES: Variations = [
  { name: 'Small', priceDelta: euro(-40) },
  { name: 'Regular', priceDelta: euro(0) },
  { name: 'Large', priceDelta: euro(60) },
];

/** What goes with milk comes in every size and with every milk. */
const SIZES_AND_MILKS: Variations = [
  { milk: '', more: 0 },
  { milk: ', oat milk', more: 50 },
  { milk: ', soy milk', more: 40 },
].flatMap(({ milk, more }) =>
  SIZES.map(({ name, priceDelta }) => ({ name: `${name}${milk}`, priceDelta: euro(priceDelta.amount + more) })),
);

const FILLINGS: Variations = [
  { name: 'Cream cheese', priceDelta: euro(0) },
  { name: 'Hummus', priceDelta: euro(20) },
  { name: 'Smoked salmon', priceDelta: euro(180) },
];

function madeToOrder(
  [sku, name, category]: readonly [string, string, string],
  [price, unitCost]: readonly [number, number],
  variations: Variations = [],
): Ranged {
  const draft = { sku, name, category, price: euro(price), unitCost: euro(unitCost), stock: 'made-to-order' as const };
  return ranged({ ...draft, ...(variations.length === 0 ? {} : { variations }) });
}

export const products: readonly Ranged[] = [
  baked(['BREAD-WHEAT', 'Wheat loaf', 'Bread'], [380, 130], ['PT14H', 40], { every: 'PT2H', quantity: 12 }),
  baked(['BREAD-RYE', 'Rye loaf', 'Bread'], [450, 160], ['PT36H', 30], { every: 'PT3H', quantity: 8 }),
  baked(['BAGUETTE', 'Baguette', 'Bread'], [220, 70], ['PT8H', 50], { every: 'PT1H', quantity: 10 }),
  baked(['ROLL-SEED', 'Seeded roll', 'Rolls'], [95, 28], ['PT6H', 50], { every: 'PT45M', quantity: 20 }),
  baked(['PRETZEL', 'Pretzel', 'Rolls'], [120, 35], ['PT4H', 50], { every: 'PT1H', quantity: 15 }),
  baked(['CROISSANT', 'Croissant', 'Pastry'], [240, 75], ['PT5H', 40], { every: 'PT1H', quantity: 14 }),
  baked(['DONUT', 'Donut', 'Pastry'], [180, 50], ['PT25M', 25], { every: 'PT20M', quantity: 8 }),
  baked(['CINNAMON', 'Cinnamon roll', 'Pastry'], [280, 85], ['PT4H', 40], { every: 'PT90M', quantity: 10 }),
  baked(['MUFFIN', 'Blueberry muffin', 'Pastry'], [260, 80], ['PT10H', 40], { every: 'PT3H', quantity: 10 }),
  baked(['CAKE-CHEESE', 'Cheesecake slice', 'Cake'], [390, 140], ['PT12H', 30], { every: 'PT4H', quantity: 8 }),
  baked(['SANDWICH', 'Cheese sandwich', 'Sandwiches'], [490, 190], ['PT6H', 50], { every: 'PT2H', quantity: 8 }),
  madeToOrder(['COFFEE', 'Filter coffee', 'Hot drinks'], [260, 45], SIZES),
  madeToOrder(['ESPRESSO', 'Espresso', 'Hot drinks'], [230, 40]),
  madeToOrder(['LATTE', 'Caffè latte', 'Hot drinks'], [360, 80], SIZES_AND_MILKS),
  madeToOrder(['TEA', 'Tea', 'Hot drinks'], [240, 30]),
  madeToOrder(['CHOCOLATE', 'Hot chocolate', 'Hot drinks'], [340, 85], SIZES_AND_MILKS),
  madeToOrder(['CAPPUCCINO', 'Cappuccino', 'Hot drinks'], [330, 70], SIZES_AND_MILKS),
  madeToOrder(['BAGEL', 'Filled bagel', 'Sandwiches'], [450, 160], FILLINGS),
];

/** Bought in, and kept overnight: received at the start, not baked. */
export const receivedProducts: readonly (Ranged & { readonly quantity: number })[] = [
  { ...ranged(bought('WATER', 'Mineral water 0.5 l', 'Cold drinks', 190, 45)), quantity: 60 },
  { ...ranged(bought('LEMONADE', 'Lemonade 0.33 l', 'Cold drinks', 250, 80)), quantity: 48 },
  { ...ranged(bought('BAR-NUT', 'Nut bar', 'Bars', 210, 90)), quantity: 40 },
];

function bought(sku: string, name: string, category: string, price: number, unitCost: number): ProductDraft {
  const costs = { price: euro(price), unitCost: euro(unitCost) };
  return { sku, name, category, ...costs, stock: 'unit', shelfLife: 'P120D', keepsOvernight: true };
}

export const schedules: readonly { readonly id: string; readonly draft: ScheduleDraft }[] = sites.flatMap((site, row) =>
  products.flatMap(({ id, baking }, column) =>
    baking === undefined
      ? []
      : [{ id: townId(4, row * 100 + column), draft: { siteId: site.id, productId: id, ...baking } }],
  ),
);

/** What stands on the shelf when the town begins: one batch of everything that is baked. */
export const firstBatches: readonly { readonly id: string; readonly draft: BatchDraft }[] = schedules.map(
  ({ draft: { siteId, productId, quantity } }, index) => ({
    id: townId(5, index),
    draft: { siteId, productId, quantity },
  }),
);

export const firstReceipts: readonly { readonly id: string; readonly draft: ReceiptDraft }[] = sites.flatMap(
  (site, row) =>
    receivedProducts.map(({ id, quantity }, column) => ({
      id: townId(6, row * 100 + column),
      draft: { siteId: site.id, productId: id, quantity },
    })),
);

/** Whose account the bank fills, wherever the bank runs: it knows the person by this id. */
export const customer = {
  id: townId(7, 3),
  email: 'customer@example.com',
  name: 'Cleo Customer',
  roles: ['customer'],
} as const;

export const people = [
  { id: townId(7, 1), email: 'manager@example.com', name: 'Mara Manager', roles: ['manager'] },
  { id: townId(7, 2), email: 'staff@example.com', name: 'Sam Staff', roles: ['staff'] },
  customer,
] as const;

export const DEMO_PASSWORD = 'test';

/** What the demo customer begins with. */
export const customerMoney = euro(10_000);
