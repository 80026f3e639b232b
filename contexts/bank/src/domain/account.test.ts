import { describe, expect, it } from 'vitest';
import { type AccountDraft, missingAccounts } from './account.ts';

describe('accounts that are not open yet', () => {
  const wanted = { customerIds: ['ann', 'bob'], tills: [{ siteId: 'site', currency: 'USD' }] };

  it('given nothing is open, when a set needs customers and a till, then all are missing, customers in euros', () => {
    expect(missingAccounts(wanted, [], () => 'new')).toEqual([
      { id: 'ann', kind: 'customer', siteId: null, currency: 'EUR' },
      { id: 'bob', kind: 'customer', siteId: null, currency: 'EUR' },
      { id: 'new', kind: 'sales', siteId: 'site', currency: 'USD' },
      { id: 'new', kind: 'cash', siteId: 'site', currency: 'USD' },
      { id: 'new', kind: 'card', siteId: 'site', currency: 'USD' },
    ]);
  });

  it('given some are open, when a set needs them, then only the others are missing', () => {
    const open: AccountDraft[] = [
      { id: 'ann', kind: 'customer', siteId: null, currency: 'CHF' },
      { id: 's', kind: 'sales', siteId: 'site', currency: 'USD' },
      { id: 'c', kind: 'cash', siteId: 'site', currency: 'EUR' },
    ];
    const missing = missingAccounts(wanted, open, () => 'new');
    expect(missing.map((account) => `${account.kind} ${account.currency}`)).toEqual([
      'customer EUR',
      'cash USD',
      'card USD',
    ]);
  });
});
