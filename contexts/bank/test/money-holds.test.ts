import { money } from '@provender/kernel';
import { errorCode, statement } from '@provender/platform';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MoneyHoldDraft } from '../src/domain/money-hold.ts';
import { insertHold } from '../src/store.ts';
import { authoriseHold, captureHold, releaseHeldMoney } from '../src/use-cases/hold-money.ts';
import {
  accountOf,
  balanceOfSite,
  type BankTest,
  customerWith,
  euros,
  expectBalancedBooks,
  ids,
  inTx,
  openBankTest,
  paymentRequested,
  refundRequested,
  SITE,
} from './books.ts';

let test: BankTest;
beforeAll(async () => {
  test = await openBankTest();
});
afterAll(() => test.close());

const moment = () => ({ now: test.clock.now(), ids });
const authorise = (draft: MoneyHoldDraft) => inTx(test, (tx) => authoriseHold(tx, draft, moment()));
const capture = (id: string) => inTx(test, (tx) => captureHold(tx, id, moment()));
const release = (id: string) => inTx(test, (tx) => releaseHeldMoney(tx, id, moment()));

function draftOf(accountId: string, amount = 200): MoneyHoldDraft {
  return { id: ids.next(), accountId, orderId: ids.next(), siteId: SITE, amount: euros(amount) };
}

describe('money is held', () => {
  it('given money, when it is held, then it cannot be spent, and its balance stays', async () => {
    const ann = await customerWith(test, 500);
    expect(await authorise(draftOf(ann))).toMatchObject({ ok: true, value: { state: 'open' } });
    expect(await accountOf(test, ann)).toMatchObject({ balance: 500, held: 200 });
    expect(await authorise(draftOf(ann, 301))).toEqual({ ok: false, refusal: { kind: 'insufficient-funds' } });
    const orderId = ids.next();
    await test.hear([paymentRequested(test, { orderId, customerId: ann, amount: euros(301) })]);
    expect((await test.said('bank.payment-declined.v1')).at(-1)).toMatchObject({ subject: orderId });
    await expectBalancedBooks(test);
  });

  it('given the same ask twice, also at once, when it is made, then it is held once', async () => {
    const ann = await customerWith(test, 500);
    const draft = draftOf(ann, 400);
    const answers = await Promise.all([authorise(draft), authorise(draft), authorise(draft)]);
    expect(answers.map((answer) => answer.ok)).toEqual([true, true, true]);
    expect(await accountOf(test, ann)).toMatchObject({ held: 400 });
    expect(await authorise({ ...draft, amount: euros(1) })).toEqual({ ok: false, refusal: { kind: 'hold-differs' } });
  });

  it('given a user whom the bank does not know yet, when money is to be held, then there is none', async () => {
    expect(await authorise(draftOf(ids.next()))).toEqual({ ok: false, refusal: { kind: 'insufficient-funds' } });
    const dollars = { ...draftOf(await customerWith(test, 9)), amount: money(1, 'USD') };
    expect(await authorise(dollars)).toEqual({ ok: false, refusal: { kind: 'currency-mismatch' } });
  });
});

describe('a hold comes to its end', () => {
  it('given a hold, when it is captured twice, then its money moves once, and it is said once', async () => {
    const ann = await customerWith(test, 500);
    const draft = draftOf(ann);
    const before = await balanceOfSite(test, 'sales');
    await authorise(draft);
    expect(await capture(draft.id)).toMatchObject({ ok: true, value: { state: 'captured' } });
    expect(await capture(draft.id)).toMatchObject({ ok: true, value: { state: 'captured' } });
    expect(await accountOf(test, ann)).toMatchObject({ balance: 300, held: 0 });
    expect(await balanceOfSite(test, 'sales')).toBe(before + 200);
    const captured = (await test.said('bank.payment-captured.v1')).filter((event) => event.subject === draft.orderId);
    expect(captured).toMatchObject([{ data: { tender: 'account', accountId: ann, amount: euros(200) } }]);
    expect(await release(draft.id)).toEqual({ ok: false, refusal: { kind: 'hold-captured' } });
    await expectBalancedBooks(test);
  });

  it('given the very last cent is held, when it is captured, then the account is empty', async () => {
    const ann = await customerWith(test, 200);
    const draft = draftOf(ann);
    await authorise(draft);
    expect(await capture(draft.id)).toMatchObject({ ok: true });
    expect(await accountOf(test, ann)).toMatchObject({ balance: 0, held: 0 });
  });

  it('given a hold, when it is released twice, then its money is free once, and it cannot be captured', async () => {
    const ann = await customerWith(test, 500);
    const draft = draftOf(ann);
    await authorise(draft);
    expect(await release(draft.id)).toMatchObject({ ok: true, value: { state: 'released' } });
    expect(await release(draft.id)).toMatchObject({ ok: true });
    expect(await accountOf(test, ann)).toMatchObject({ balance: 500, held: 0 });
    expect(await capture(draft.id)).toEqual({ ok: false, refusal: { kind: 'hold-released' } });
    expect(await capture(ids.next())).toEqual({ ok: false, refusal: { kind: 'hold-unknown' } });
  });

  it('given a hold, when capture and release come at once, then one of them wins', async () => {
    const ann = await customerWith(test, 500);
    const drafts = Array.from({ length: 10 }, () => draftOf(ann, 50));
    for (const draft of drafts) await authorise(draft);
    const ends = await Promise.all(drafts.map(({ id }) => Promise.all([capture(id), release(id), capture(id)])));
    for (const [first, released, second] of ends) {
      expect(first.ok).toBe(second.ok);
      expect(first.ok).toBe(!released.ok);
    }
    expect(await accountOf(test, ann)).toMatchObject({ held: 0 });
    await expectBalancedBooks(test);
  });

  it('given a captured hold, when its order is refunded, then the money is back on the account', async () => {
    const ann = await customerWith(test, 500);
    const draft = draftOf(ann);
    await authorise(draft);
    await capture(draft.id);
    await test.hear([refundRequested(draft.orderId, euros(200))]);
    expect(await accountOf(test, ann)).toMatchObject({ balance: 500, held: 0 });
  });
});

describe('what the database refuses by itself', () => {
  it('given a closed hold, when it is released again or reopened, then the database refuses', async () => {
    const draft = draftOf(await customerWith(test, 500));
    await authorise(draft);
    await release(draft.id);
    for (const text of ['SET released_at = now()', 'SET released_at = NULL']) {
      const write = inTx(test, (tx) => tx.query(statement(text, `UPDATE holds ${text} WHERE id = $1`), [draft.id]));
      expect(await write.catch((error: unknown) => errorCode(error))).toBe('PV100');
    }
  });

  it('given too much, or an order with an open hold, when it is held, then the database refuses', async () => {
    const draft = draftOf(await customerWith(test, 500));
    const hold = (wanted: MoneyHoldDraft) =>
      inTx(test, (tx) => insertHold(tx, wanted, test.clock.now())).catch((error: unknown) => errorCode(error));
    expect(await hold({ ...draft, amount: euros(501) })).toBe('23514');
    expect(await hold(draft)).toBeUndefined();
    expect(await hold({ ...draft, id: ids.next(), amount: euros(1) })).toBe('23505');
  });
});
