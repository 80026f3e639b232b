/** An amount in minor units (cents) of one ISO 4217 currency. */
export type Money = { readonly amount: number; readonly currency: string };

export function money(amount: number, currency: string): Money {
  if (!Number.isSafeInteger(amount)) throw new Error(`Not an amount of money in minor units: ${amount}`);
  return { amount, currency };
}

/** Adds two amounts. Throws where the currencies differ: no rule may mix them. */
export function addMoney(left: Money, right: Money): Money {
  if (left.currency !== right.currency) throw new Error(`Cannot add ${right.currency} to ${left.currency}`);
  return money(left.amount + right.amount, left.currency);
}

/**
 * The price after a discount of whole percent (0–100), in minor units.
 * Half a minor unit is rounded in the customer's favour, down: 25 % off 2.50 is 1.87.
 */
export function discounted(amount: number, percent: number): number {
  return Math.floor((amount * (100 - percent)) / 100);
}
