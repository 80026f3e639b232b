/** One thing that is wrong with what was sent: where (a JSON pointer) and why. */
export type Fault = { readonly pointer: string; readonly detail: string };

/** Refused: the values cannot stand, alone or with each other. All faults are told at once. */
export type Invalid = { readonly kind: 'invalid'; readonly faults: readonly Fault[] };

const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));

/** Three capital letters are a currency only where ISO 4217 knows them. */
export function currencyFaults(pointer: string, currency: string): Fault[] {
  return CURRENCIES.has(currency) ? [] : [{ pointer, detail: 'is no ISO 4217 currency code' }];
}
