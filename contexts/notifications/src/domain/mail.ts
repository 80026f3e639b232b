import type { NoticeKind, OrderLine } from '@provender/contracts';
import type { Instant, Money } from '@provender/kernel';

/** What a mail tells of: the event, and what is known beside of the order, the person and the place. */
export type MailFacts = {
  readonly kind: NoticeKind;
  readonly eventAt: Instant;
  /** The data of the event, of which each kind has its own members. */
  readonly data: MailData;
  readonly recipientName: string | undefined;
  readonly site: { readonly name: string; readonly timeZone: string } | undefined;
  readonly productName: string | undefined;
  readonly order:
    | { readonly id: string; readonly lines: readonly OrderLine[]; readonly total: Money; readonly placedAt: Instant }
    | undefined;
};

export type MailData = {
  readonly orderId?: string;
  readonly to?: string;
  readonly reason?: string;
  readonly amount?: Money;
  readonly total?: Money;
  readonly cost?: Money;
  readonly balance?: Money;
  readonly day?: string;
  readonly handedOver?: boolean;
};

export type Mail = { readonly subject: string; readonly text: string; readonly html: string };

const REASONS: Readonly<Record<string, string>> = {
  'insufficient-stock': 'there was not enough left of it',
  'payment-declined': 'your account did not cover it',
  'hold-lost': 'the payment came too late',
  'cancelled-by-customer': 'as you asked',
  'cancelled-by-staff': 'by the shop',
  'site-closed': 'the shop has closed',
  'not-collected': 'it was not collected before the shop closed',
};

const STATUS_WORDS: Readonly<Record<string, string>> = {
  waiting: 'is waiting to be made',
  preparation: 'is being prepared',
  ready: 'is ready to be collected',
  delivered: 'has been handed over',
};

type Told = { readonly subject: string; readonly says: string };
type Teller = (facts: MailFacts) => Told;

const PAID_BACK = 'What was paid goes back to where it came from.';

/** One sentence for each kind, and what it is about in a few words. */
const TELLERS: Readonly<Record<NoticeKind, Teller>> = {
  'order-placed': (facts) => ({ subject: about(facts, 'was placed'), says: 'we have got your order.' }),
  'order-paid': (facts) => ({
    subject: about(facts, 'is paid'),
    says:
      `your order is paid, ${amountOf(facts.data.total)}. ` +
      `It ${facts.data.handedOver === true ? 'is yours' : 'is waiting to be made'}.`,
  }),
  'order-refused': (facts) => ({
    subject: about(facts, 'could not be taken'),
    says: `your order could not be taken: ${reasonOf(facts)}. ${chargeOf(facts)}`,
  }),
  'order-status-changed': (facts) => {
    const status = facts.data.to ?? 'delivered';
    const words = STATUS_WORDS[status] ?? `is ${status}`;
    const because = facts.data.reason === undefined ? '' : `: ${reasonOf(facts)}`;
    return { subject: about(facts, words), says: `your order ${words}${because}.` };
  },
  'order-cancelled': (facts) => ({
    subject: about(facts, 'was cancelled'),
    says: `your order was cancelled, ${reasonOf(facts)}. ${PAID_BACK}`,
  }),
  'order-refunded': (facts) => ({
    subject: about(facts, 'was refunded'),
    says: `${amountOf(facts.data.amount)} of your order went back to where it came from.`,
  }),
  'money-arrived': ({ data }) => ({
    subject: `${amountOf(data.amount)} arrived on your account`,
    says: `${amountOf(data.amount)} arrived on your account. There is ${amountOf(data.balance)} on it now.`,
  }),
  'product-sold-out': ({ productName, site }) => ({
    subject: `${productName ?? 'A product'} has run out at ${site?.name ?? 'a site'}`,
    says: `the last free ${productName ?? 'unit of a product'} at ${site?.name ?? 'a site'} has gone.`,
  }),
  'waste-limit-passed': ({ data, site }) => ({
    subject: `Waste at ${site?.name ?? 'a site'} has come to ${amountOf(data.cost)}`,
    says:
      `what was thrown out at ${site?.name ?? 'a site'} on ${data.day ?? 'this day'} has come to ` +
      `${amountOf(data.cost)}, at cost.`,
  }),
};

function about({ site }: MailFacts, words: string): string {
  return `Your order${site === undefined ? '' : ` at ${site.name}`} ${words}`;
}

function reasonOf({ data: { reason } }: MailFacts): string {
  return reason === undefined ? 'for a reason that was not given' : (REASONS[reason] ?? reason);
}

/** An order whose hold was lost had been paid before; of every other that is refused nothing was taken. */
function chargeOf({ data: { reason } }: MailFacts): string {
  return reason === 'hold-lost' ? PAID_BACK : 'Nothing was charged.';
}

/** Writes a mail: plain text, and HTML that says the same. */
export function mailOf(facts: MailFacts): Mail {
  const { subject, says } = TELLERS[facts.kind](facts);
  const greeting = `Hello${facts.recipientName === undefined ? '' : ` ${facts.recipientName}`},`;
  const rows = (facts.order?.lines ?? []).map(rowOf);
  const details = detailsOf(facts);
  const total = facts.order === undefined ? undefined : amountOf(facts.order.total);
  return {
    subject,
    text: textOf(greeting, says, rows, total, details),
    html: htmlOf(greeting, says, rows, total, details),
  };
}

type Row = { readonly what: string; readonly unitPrice: string; readonly total: string };

function rowOf({ name, variationName, quantity, unitPrice, total }: OrderLine): Row {
  const what = `${quantity} × ${name}${variationName === undefined ? '' : ` (${variationName})`}`;
  return { what, unitPrice: amountOf(unitPrice), total: amountOf(total) };
}

function detailsOf({ order, data, site, eventAt }: MailFacts): [string, string][] {
  const details: [string, string][] = [];
  const orderId = order?.id ?? data.orderId;
  if (orderId !== undefined) details.push(['Order', orderId]);
  if (site !== undefined) details.push(['Where', site.name]);
  if (order !== undefined) details.push(['Placed', timeOf(order.placedAt, site?.timeZone)]);
  details.push(['When', timeOf(eventAt, site?.timeZone)]);
  return details;
}

function textOf(
  greeting: string,
  says: string,
  rows: readonly Row[],
  total: string | undefined,
  details: readonly [string, string][],
): string {
  const lines = rows.map(({ what, unitPrice, total: each }) => `  ${what}, ${unitPrice} each: ${each}`);
  const sum = rows.length > 0 && total !== undefined ? [...lines, `  Total: ${total}`, ''] : [];
  return [greeting, '', says, '', ...sum, ...details.map(([name, value]) => `${name}: ${value}`), ''].join('\n');
}

function htmlOf(
  greeting: string,
  says: string,
  rows: readonly Row[],
  total: string | undefined,
  details: readonly [string, string][],
): string {
  const cell = (text: string, align = 'left') =>
    `<td style="padding:2px 12px 2px 0;text-align:${align}">${escaped(text)}</td>`;
  const lines = rows.map(({ what, unitPrice, total: each }) => {
    return `<tr>${cell(what)}${cell(unitPrice, 'right')}${cell(each, 'right')}</tr>`;
  });
  const sum = total === undefined ? '' : `<tr>${cell('Total')}${cell('')}${cell(total, 'right')}</tr>`;
  const table = rows.length === 0 ? '' : `<table>${lines.join('')}${sum}</table>`;
  const list = details.map(([name, value]) => `<tr>${cell(name)}${cell(value)}</tr>`).join('');
  return (
    '<!doctype html><html lang="en"><body style="font-family:sans-serif">' +
    `<p>${escaped(greeting)}</p><p>${escaped(says)}</p>${table}<table>${list}</table></body></html>`
  );
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

const moneyFormats = new Map<string, Intl.NumberFormat>();

/** `€3.80`, with as many decimals as the currency has. */
function amountOf(money: Money | undefined): string {
  if (money === undefined) return 'the amount';
  const { amount, currency } = money;
  let format = moneyFormats.get(currency);
  if (format === undefined) {
    format = new Intl.NumberFormat('en', { style: 'currency', currency });
    moneyFormats.set(currency, format);
  }
  return format.format(amount / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}

const timeFormats = new Map<string, Intl.DateTimeFormat>();

/** The time that a clock on the wall of the site shows, with the name of its zone. */
function timeOf(moment: Instant, timeZone = 'UTC'): string {
  let format = timeFormats.get(timeZone);
  if (format === undefined) {
    const style = {
      weekday: 'short',
      day: 'numeric',
      month: 'long',
      year: 'numeric',
      hour: '2-digit',
      minute: '2-digit',
    } as const;
    format = new Intl.DateTimeFormat('en-GB', { ...style, hourCycle: 'h23', timeZone });
    timeFormats.set(timeZone, format);
  }
  return `${format.format(moment)} (${timeZone})`;
}
