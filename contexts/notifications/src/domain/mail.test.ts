import { NOTICE_KINDS } from '@provender/contracts';
import { instant } from '@provender/kernel';
import { describe, expect, test } from 'vitest';
import { type MailFacts, mailOf } from './mail.ts';

const price = { amount: 350, currency: 'EUR' };
const facts: MailFacts = {
  kind: 'order-status-changed',
  eventAt: instant(Date.parse('2026-07-01T22:30:00.000Z')),
  data: { orderId: 'o', to: 'ready' },
  recipientName: 'Ann <script>',
  site: { name: 'Harbour', timeZone: 'Europe/Berlin' },
  productName: undefined,
  order: {
    id: 'o',
    total: { amount: 700, currency: 'EUR' },
    placedAt: instant(Date.parse('2026-07-01T22:00:00.000Z')),
    lines: [
      {
        ...{ productId: 'p', name: 'Latte', variationName: 'Large', stock: 'made-to-order', quantity: 2 },
        ...{ listPrice: price, discountPercent: 0, unitPrice: price, total: { amount: 700, currency: 'EUR' } },
      },
    ],
  },
};

describe('mails', () => {
  test('given an order, when told of, then text and HTML say the same, in the time of the site', () => {
    const { subject, text, html } = mailOf(facts);
    expect(subject).toBe('Your order at Harbour is ready to be collected');
    expect(text).toContain('2 × Latte (Large), €3.50 each: €7.00');
    expect(text).toContain('Total: €7.00');
    expect(text).toContain('2 July 2026');
    expect(text).toContain('00:30 (Europe/Berlin)');
    for (const part of ['2 × Latte (Large)', '€3.50', '€7.00', '00:30 (Europe/Berlin)']) expect(html).toContain(part);
    expect(html).toContain('Ann &lt;script&gt;');
  });

  test('given every kind, when little is known, then a mail is written all the same', () => {
    for (const kind of NOTICE_KINDS) {
      const bare = { kind, eventAt: facts.eventAt, data: {}, recipientName: undefined, site: undefined };
      const mail = mailOf({ ...bare, productName: undefined, order: undefined });
      expect([kind, /undefined|null|NaN/.test(`${mail.subject}${mail.text}${mail.html}`)]).toEqual([kind, false]);
      expect(mail.text).toContain('UTC');
    }
  });

  test.each([
    ['insufficient-stock', 'Nothing was charged.'],
    ['payment-declined', 'Nothing was charged.'],
    ['hold-lost', 'What was paid goes back to where it came from.'],
  ])(
    'given an order that is refused for %s, when told of, then the mail says what became of the money',
    (reason, said) => {
      const { text, html } = mailOf({ ...facts, kind: 'order-refused', data: { reason } });
      expect([text.includes(said), html.includes(said)]).toEqual([true, true]);
      expect(text.includes('Nothing was charged')).toBe(reason !== 'hold-lost');
    },
  );

  test.each([
    ['JPY', '¥700'],
    ['SEK', 'SEK'],
    ['KWD', '0.700'],
  ])('given money in %s, when told of, then it has its own decimals', (currency, shown) => {
    const data = { amount: { amount: 700, currency } };
    expect(mailOf({ ...facts, kind: 'order-refunded', data }).text).toContain(shown);
  });
});
