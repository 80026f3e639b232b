import { describe, expect, it } from 'vitest';
import { type AccountDraft, missingAccounts } from './account.ts';

describe('accounts that are not open yet', () => {
  const wanted = [{ siteId: 'site', currency: 'USD' }];

  it('given nothing is open, when a set needs a till, then all three accounts are missing', () => {
    expect(missingAccounts(wanted, [], () => 'new')).toEqual([
      { id: 'new', kind: 'sales', siteId: 'site', currency: 'USD' },
      { id: 'new', kind: 'cash', siteId: 'site', currency: 'USD' },
      { id: 'new', kind: 'card', siteId: 'site', currency: 'USD' },
    ]);
  });

  it('given some are open, when a set needs them, then only the others are missing', () => {
    const open: AccountDraft[] = [
      { id: 's', kind: 'sales', siteId: 'site', currency: 'USD' },
      { id: 'c', kind: 'cash', siteId: 'site', currency: 'EUR' },
    ];
    const missing = missingAccounts(wanted, open, () => 'new');
    expect(missing.map((account) => `${account.kind} ${account.currency}`)).toEqual(['cash USD', 'card USD']);
  });
});
