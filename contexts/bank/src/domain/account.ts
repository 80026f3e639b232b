/** The currency of an account that is opened before any money came to it. */
export const DEFAULT_CURRENCY = 'EUR';

/** What a site has one of in each currency: its takings, its drawer, and what its card terminal has yet to pay out. */
export const SITE_ACCOUNT_KINDS = ['sales', 'cash', 'card'] as const;
export type SiteAccountKind = (typeof SITE_ACCOUNT_KINDS)[number];

/** `deposits` is the outside world that money comes from, one in each currency. */
export type AccountKind = 'customer' | SiteAccountKind | 'deposits';

/** A new account, with nothing on it. */
export type AccountDraft = {
  readonly id: string;
  readonly kind: AccountKind;
  readonly siteId: string | null;
  readonly currency: string;
};

/** Figures in minor units of its currency. A positive balance is what the bank owes to the account. */
export type Account = AccountDraft & {
  readonly balance: number;
  /** Set aside by open holds. */
  readonly held: number;
  /** The least that may be available; null: no floor. */
  readonly floor: number | null;
};

/** What an account may spend. */
export function available({ balance, held }: Pick<Account, 'balance' | 'held'>): number {
  return balance - held;
}

/** The accounts that a set of decisions is about, as they stand under their locks. */
export type AccountBook = {
  readonly customer: (id: string) => Account | undefined;
  /** The site's account of that kind and currency. Throws where it was not asked for. */
  readonly ofSite: (kind: SiteAccountKind, siteId: string, currency: string) => Account;
};

/** What a set of decisions needs: customers' accounts, and all accounts of sites in the currencies of the set. */
export type BookDraft = {
  readonly customerIds: readonly string[];
  readonly tills: readonly Till[];
};

/** The accounts of one site in one currency. */
export type Till = { readonly siteId: string; readonly currency: string };

export function accountBook(accounts: readonly Account[]): AccountBook {
  const customers = new Map<string, Account>();
  const ofSites = new Map<string, Account>();
  for (const account of accounts) {
    if (account.kind === 'customer') customers.set(account.id, account);
    else ofSites.set(placeKey(account.kind, account.siteId, account.currency), account);
  }
  return {
    customer: (id) => customers.get(id),
    ofSite(kind, siteId, currency) {
      const account = ofSites.get(placeKey(kind, siteId, currency));
      if (account === undefined)
        throw new Error(`The account ${kind} of site ${siteId} in ${currency} is not in the book`);
      return account;
    },
  };
}

/**
 * The accounts of sites that a book needs and that are not open yet, all three of each. A customer's is never opened by
 * a payment: it would be empty, and staff may have mistyped whose it is.
 */
export function missingAccounts(
  tills: readonly Till[],
  open: readonly AccountDraft[],
  nextId: () => string,
): readonly AccountDraft[] {
  const places = new Set(open.map((account) => placeKey(account.kind, account.siteId, account.currency)));
  const missing: AccountDraft[] = [];
  for (const { siteId, currency } of tills) {
    for (const kind of SITE_ACCOUNT_KINDS) {
      if (places.has(placeKey(kind, siteId, currency))) continue;
      missing.push({ id: nextId(), kind, siteId, currency });
    }
  }
  return missing;
}

function placeKey(kind: AccountKind, siteId: string | null, currency: string): string {
  return `${kind} ${siteId ?? ''} ${currency}`;
}
