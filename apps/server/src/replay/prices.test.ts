import { describe, expect, test } from 'vitest';
import { classify } from './assortment.ts';
import { decimalsOf, readAmount, readPrices } from './prices.ts';

async function* file(text: string) {
  yield Buffer.from(text);
}

describe('a price list', () => {
  test('given items with prices and costs, when it is read, then amounts are in minor units', async () => {
    const read = await readPrices(file('Item,Price,Cost\nBread,3.40,1.1\n"Cake, a slice",2,\n'), 2);
    expect(read.ok && [...read.value]).toEqual([
      ['bread', { price: 340, unitCost: 110 }],
      ['cake, a slice', { price: 200, unitCost: null }],
    ]);
  });

  test('given semicolons and decimal commas, when it is read, then it is understood', async () => {
    const read = await readPrices(file('item;price;cost\nBrot;3,40;1,10\n'), 2);
    expect(read.ok && read.value.get('brot')).toEqual({ price: 340, unitCost: 110 });
  });

  test.each([
    ['name,price\n', 1, 'must be a header with the columns item,price,cost'],
    ['item,price\nBread,cheap\n', 2, 'must have amounts such as 2.60 for price and cost'],
    ['item,price\nBread,-1\n', 2, 'must have amounts such as 2.60 for price and cost'],
    ['item,price\nBread,1.234\n', 2, 'must have amounts such as 2.60 for price and cost'],
    ['item,price\n,1\n', 2, 'names no item'],
  ])('given %j, when it is read, then line %i is refused: it %s', async (text, line, detail) => {
    expect(await readPrices(file(text), 2)).toEqual({ ok: false, refusal: { kind: 'bad-prices', line, detail } });
  });

  test('given yen, when an amount is read, then it has no decimals', () => {
    expect(readAmount('250', decimalsOf('JPY'))).toBe(250);
    expect(readAmount('2.50', decimalsOf('JPY'))).toBeUndefined();
  });
});

describe('how items are kept', () => {
  test.each([
    ['Coffee', 'made-to-order'],
    ['Flat white', 'made-to-order'],
    ['Coffee granules', 'bought-in'],
    ['Gift voucher', 'bought-in'],
    ['Tshirt', 'bought-in'],
    ['Rye loaf', 'bread'],
    ['Raspberry tart', 'cake'],
    ['Almond croissant', 'pastry'],
    ['Xyzzy', 'pastry'],
  ])('given %s, when nobody says how, then it is %s', (item, keeping) => {
    expect(classify(item).keeping).toBe(keeping);
  });

  test('given an item of the list in any letters, when it is classified, then it is named; else it was guessed', () => {
    expect(classify('BREAD')).toEqual({ keeping: 'bread', price: 340, unitCost: 110, isNamed: true });
    expect(classify('Xyzzy').isNamed).toBe(false);
  });
});
