import { money } from '@provender/kernel';
import { describe, expect, it } from 'vitest';
import type { Account } from './account.ts';
import { authorise, closeHold, MONEY_HOLD_STATES, type MoneyHold, type MoneyHoldDraft } from './money-hold.ts';

const draft: MoneyHoldDraft = { id: 'h', accountId: 'ann', orderId: 'o', siteId: 's', amount: money(200, 'EUR') };
const hold: MoneyHold = { ...draft, state: 'open' };

function ann(balance: number, held = 0): Account {
  return { id: 'ann', kind: 'customer', siteId: null, currency: 'EUR', balance, held, floor: 0 };
}

describe('authorising', () => {
  it('given enough that is available, when money is to be held, then it is', () => {
    expect(authorise(draft, ann(200), undefined)).toEqual({ ok: true, value: { hold, isNew: true } });
  });

  it('given too little, or too much held already, when money is to be held, then it is refused', () => {
    const refused = { ok: false, refusal: { kind: 'insufficient-funds' } };
    expect(authorise(draft, ann(199), undefined)).toEqual(refused);
    expect(authorise(draft, ann(300, 101), undefined)).toEqual(refused);
    expect(authorise(draft, undefined, undefined)).toEqual(refused);
  });

  it('given an account in another currency, when money is to be held, then it is refused', () => {
    const dollars = { ...draft, amount: money(1, 'USD') };
    expect(authorise(dollars, ann(200), undefined)).toEqual({ ok: false, refusal: { kind: 'currency-mismatch' } });
  });

  it('given the hold is there, when the same is asked again, then it is given again whatever the balance', () => {
    expect(authorise(draft, ann(0), hold)).toEqual({ ok: true, value: { hold, isNew: false } });
  });

  it('given the hold is there, when its id stands for anything else, then that is refused', () => {
    const others = [
      { accountId: 'bob' },
      { orderId: 'p' },
      { siteId: 't' },
      { amount: money(201, 'EUR') },
      { amount: money(200, 'USD') },
    ];
    for (const other of others) {
      expect(authorise({ ...draft, ...other }, ann(900), hold)).toEqual({
        ok: false,
        refusal: { kind: 'hold-differs' },
      });
    }
  });
});

describe('closing', () => {
  it('goes from open to captured or released, once, and takes the same end twice', () => {
    const table = MONEY_HOLD_STATES.map((state) =>
      (['captured', 'released'] as const).map((end) => {
        const closed = closeHold({ ...hold, state }, end);
        return closed.ok ? closed.value.isOpen : closed.refusal.kind;
      }),
    );
    expect(table).toEqual([
      [true, true],
      [false, 'hold-captured'],
      ['hold-released', false],
    ]);
    expect(closeHold(undefined, 'released')).toEqual({ ok: false, refusal: { kind: 'hold-unknown' } });
  });
});
