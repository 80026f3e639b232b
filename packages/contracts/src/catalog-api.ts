import { type Static, Type } from 'typebox';
import { SITE_KINDS, STOCK_KINDS } from './catalog.ts';
import {
  AMOUNT_MAX,
  CLOSED,
  Currency,
  DurationText,
  InstantText,
  Literals,
  MoneySchema,
  Page,
  PriceSchema,
  Text,
  Uuid,
} from './common.ts';

export const SITE_NAME_LENGTH_MAX = 100;
export const SKU_LENGTH_MAX = 64;
export const PRODUCT_NAME_LENGTH_MAX = 120;
export const CATEGORY_LENGTH_MAX = 60;
export const DESCRIPTION_LENGTH_MAX = 2_000;
export const VARIATION_NAME_LENGTH_MAX = 60;

/** How many living variations one product may have. */
export const VARIATIONS_MAX = 50;

/** How many products one menu shows at most, by category and name. */
export const MENU_ITEMS_MAX = 1_000;

const OpeningTime = Type.String({
  pattern: '^([01]\\d|2[0-3]):[0-5]\\d$',
  maxLength: 5,
  description: 'Time on the wall of the site, such as 07:00',
});

const ClosingTime = Type.String({
  pattern: '^(([01]\\d|2[0-3]):[0-5]\\d|24:00)$',
  maxLength: 5,
  description: 'Time on the wall of the site, such as 18:00; 24:00 is midnight. Later than opensAt',
});

const TimeZone = Type.String({
  pattern: '^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$',
  maxLength: 64,
  description: 'IANA time zone, such as Europe/Berlin',
});

const siteMembers = {
  name: Text(SITE_NAME_LENGTH_MAX),
  kind: Literals(SITE_KINDS),
  timeZone: TimeZone,
  opensAt: OpeningTime,
  closesAt: ClosingTime,
  currency: Currency,
};

const FreeVend = Type.Boolean({ description: 'Machines of this site give without taking money' });

export const SiteDraft = Type.Object({ ...siteMembers, freeVend: Type.Optional(FreeVend) }, CLOSED);
export type SiteDraft = Static<typeof SiteDraft>;

/** Only what is named changes; null clears what a site need not have. */
export const SitePatch = Type.Object(
  {
    ...Type.Partial(Type.Object(siteMembers)).properties,
    freeVend: Type.Optional(Type.Union([FreeVend, Type.Null()])),
  },
  CLOSED,
);
export type SitePatch = Static<typeof SitePatch>;

export const SiteView = Type.Object(
  {
    id: Uuid,
    name: Type.String(),
    kind: Literals(SITE_KINDS),
    timeZone: Type.String(),
    opensAt: Type.String(),
    closesAt: Type.String(),
    currency: Type.String(),
    freeVend: Type.Boolean(),
  },
  CLOSED,
);
export type SiteView = Static<typeof SiteView>;

export const SitePage = Page(SiteView);

/** A difference to the product's price: may be negative, never more than the price itself. */
const PriceDelta = Type.Object(
  { amount: Type.Integer({ minimum: -AMOUNT_MAX, maximum: AMOUNT_MAX }), currency: Currency },
  CLOSED,
);

export const VariationDraft = Type.Object({ name: Text(VARIATION_NAME_LENGTH_MAX), priceDelta: PriceDelta }, CLOSED);
export type VariationDraft = Static<typeof VariationDraft>;

export const VariationPatch = Type.Partial(VariationDraft, CLOSED);
export type VariationPatch = Static<typeof VariationPatch>;

export const VariationView = Type.Object({ id: Uuid, name: Type.String(), priceDelta: MoneySchema }, CLOSED);
export type VariationView = Static<typeof VariationView>;

const productMembers = {
  sku: Text(SKU_LENGTH_MAX),
  name: Text(PRODUCT_NAME_LENGTH_MAX),
  category: Text(CATEGORY_LENGTH_MAX),
  price: PriceSchema,
  stock: Literals(STOCK_KINDS),
};

const Description = Type.String({ minLength: 1, maxLength: DESCRIPTION_LENGTH_MAX, format: 'text-block' });
const KeepsOvernight = Type.Boolean({ description: 'Not thrown out at closing' });
const DiscountPercent = Type.Integer({ minimum: 0, maximum: 100 });

export const ProductDraft = Type.Object(
  {
    ...productMembers,
    description: Type.Optional(Description),
    unitCost: Type.Optional(PriceSchema),
    shelfLife: Type.Optional(DurationText),
    keepsOvernight: Type.Optional(KeepsOvernight),
    closingDiscountPercent: Type.Optional(DiscountPercent),
    variations: Type.Optional(Type.Array(VariationDraft, { maxItems: VARIATIONS_MAX })),
  },
  CLOSED,
);
export type ProductDraft = Static<typeof ProductDraft>;

/** Only what is named changes; null clears what a product need not have. */
export const ProductPatch = Type.Object(
  {
    ...Type.Partial(Type.Object(productMembers)).properties,
    description: Type.Optional(Type.Union([Description, Type.Null()])),
    unitCost: Type.Optional(Type.Union([PriceSchema, Type.Null()])),
    shelfLife: Type.Optional(Type.Union([DurationText, Type.Null()])),
    keepsOvernight: Type.Optional(Type.Union([KeepsOvernight, Type.Null()])),
    closingDiscountPercent: Type.Optional(DiscountPercent),
  },
  CLOSED,
);
export type ProductPatch = Static<typeof ProductPatch>;

export const ProductView = Type.Object(
  {
    id: Uuid,
    sku: Type.String(),
    name: Type.String(),
    category: Type.String(),
    description: Type.Optional(Type.String()),
    price: MoneySchema,
    unitCost: Type.Optional(
      Type.Object(MoneySchema.properties, { ...CLOSED, description: 'Told to staff and managers only' }),
    ),
    stock: Literals(STOCK_KINDS),
    shelfLife: Type.Optional(Type.String({ description: 'ISO 8601 duration; absent: does not go stale' })),
    keepsOvernight: Type.Boolean(),
    closingDiscountPercent: Type.Integer(),
    variations: Type.Array(VariationView),
  },
  CLOSED,
);
export type ProductView = Static<typeof ProductView>;

export const ProductPage = Page(ProductView);

export const VariationParams = Type.Object({ id: Uuid, variationId: Uuid }, CLOSED);

export const MenuQuery = Type.Object({ siteId: Uuid }, CLOSED);
export type MenuQuery = Static<typeof MenuQuery>;

export const MenuVariation = Type.Object(
  {
    id: Uuid,
    name: Type.String(),
    priceDelta: MoneySchema,
    price: Type.Object(MoneySchema.properties, { ...CLOSED, description: 'What the product costs now in it' }),
  },
  CLOSED,
);
export type MenuVariation = Static<typeof MenuVariation>;

export const MenuItem = Type.Object(
  {
    productId: Uuid,
    name: Type.String(),
    category: Type.String(),
    description: Type.Optional(Type.String()),
    listPrice: MoneySchema,
    price: Type.Object(MoneySchema.properties, { ...CLOSED, description: 'What it costs at this moment' }),
    discountPercent: Type.Integer(),
    available: Type.Union([Type.Integer(), Type.Null()], {
      description: 'How many could be bought now; null: made to order',
    }),
    variations: Type.Array(MenuVariation),
  },
  CLOSED,
);
export type MenuItem = Static<typeof MenuItem>;

export const MenuView = Type.Object(
  { siteId: Uuid, at: InstantText, open: Type.Boolean(), items: Type.Array(MenuItem) },
  CLOSED,
);
export type MenuView = Static<typeof MenuView>;
