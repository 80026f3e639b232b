import { openStandInSource, type Settings } from '@provender/platform';

/** Where the demo's own sources stand. */
const WAREHOUSES = '/warehouses';
const PARTNER_ORDERS = '/partner-orders';

type Listed = readonly [sku: string, name: string, quantity: number];

function items(...listed: readonly Listed[]) {
  return listed.map(([sku, name, quantity]) => ({ sku, name, quantity }));
}

/** Two warehouses: what bakeries are made of, and goods that the shops can have brought. */
const demoWarehouses = {
  warehouses: [
    {
      id: 'north',
      name: 'North warehouse',
      items: items(
        ['FLOUR-25', 'Flour 25 kg', 120],
        ['RYE-25', 'Rye flour 25 kg', 60],
        ['SUGAR-10', 'Sugar 10 kg', 40],
        ['BUTTER-5', 'Butter 5 kg', 35],
        ['WATER', 'Mineral water 0.5 l', 960],
        ['BAR-NUT', 'Nut bar', 400],
      ),
    },
    {
      id: 'south',
      name: 'South warehouse',
      items: items(
        ['FLOUR-25', 'Flour 25 kg', 80],
        ['SUGAR-10', 'Sugar 10 kg', 15],
        ['COFFEE-1', 'Coffee beans 1 kg', 90],
        ['WATER', 'Mineral water 0.5 l', 480],
        ['LEMONADE', 'Lemonade 0.33 l', 720],
      ),
    },
  ],
};

type Wanted = Readonly<Record<string, number>>;

/** What a partner has ordered: most of it can be had; some want too much, or are wrong. */
const wanted: Readonly<Record<string, Wanted>> = {
  '1001': { 'FLOUR-25': 10, 'SUGAR-10': 4 },
  '1002': { 'RYE-25': 12 },
  '1003': { 'COFFEE-1': 20, 'SUGAR-10': 6 },
  '1004': { 'FLOUR-25': 150 },
  '1005': { 'BUTTER-5': 40 },
  '1006': { WATER: 1_200, LEMONADE: 240 },
  '1007': { SAFFRON: 1 },
  '1008': { 'BUTTER-5': 8, 'FLOUR-25': 6 },
  '1009': { 'SUGAR-10': 0 },
  '1010': { 'FLOUR-25': 60 },
};

const demoFeed = {
  orders: Object.entries(wanted).map(([number, lines]) => ({
    number,
    items: Object.entries(lines).map(([sku, quantity]) => ({ sku, quantity })),
  })),
};

/** The demo's outside world, as far as this process needs one. */
export type DemoOutside = {
  /** With the addresses of the demo's own sources, where no others were set. */
  readonly settings: Settings;
  /** The partner's feed of the demo; undefined where it is somebody's own, or no matter of this process. */
  readonly feedUrl: string | undefined;
  close(): Promise<void>;
};

/**
 * A demo without outside sources gets a stand-in for them, on loopback: a server like theirs, which the contexts ask
 * and mistrust like any other.
 */
export async function openDemoOutside(settings: Settings): Promise<DemoOutside> {
  const { demo, contexts, warehouseUrl, partnerOrdersUrl } = settings;
  const needsWarehouses = demo && warehouseUrl === undefined && contexts.includes('inventory');
  const needsFeed = demo && partnerOrdersUrl === undefined && contexts.includes('orders');
  if (!needsWarehouses && !needsFeed) return { settings, feedUrl: undefined, close: async () => {} };
  const source = await openStandInSource({ [WAREHOUSES]: demoWarehouses, [PARTNER_ORDERS]: demoFeed });
  const feedUrl = needsFeed ? source.url(PARTNER_ORDERS) : undefined;
  return {
    settings: {
      ...settings,
      ...(needsWarehouses ? { warehouseUrl: source.url(WAREHOUSES) } : {}),
      ...(feedUrl === undefined ? {} : { partnerOrdersUrl: feedUrl }),
    },
    feedUrl,
    close: source.close,
  };
}
