import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fieldsOf, readDate, readLayout, readPiece, readTime, TILL_COLUMNS, type TillLayout } from './till.ts';

function line(text: string, number = 2) {
  return { number, text, isCut: false };
}

function layoutOf(header: string, columns = TILL_COLUMNS): TillLayout {
  const layout = readLayout(line(header, 1), columns);
  if (!layout.ok) throw new Error(JSON.stringify(layout.refusal));
  return layout.value;
}

const LAYOUT = layoutOf('Date,Time,Transaction,Item');

describe('the header of a till', () => {
  test('given columns in another order, in other letters, and one that means nothing, when it is read, then they are found', () => {
    const { places, unused } = layoutOf(' item ;TRANSACTION;Cashier;date;Time');
    expect(places).toEqual({ Date: 3, Time: 4, Transaction: 1, Item: 0 });
    expect(unused).toEqual(['Cashier']);
  });

  test('given other names, when they are said, then they are found; a column that is not there is refused by its name', () => {
    const columns = { ...TILL_COLUMNS, Item: 'Article', Transaction: 'Receipt' };
    expect(layoutOf('Date,Time,Receipt,Article', columns).places.Item).toBe(3);
    expect(readLayout(line('Date,Time,Receipt', 1), columns)).toEqual({
      ok: false,
      refusal: { kind: 'column-missing', column: 'Article', found: ['Date', 'Time', 'Receipt'] },
    });
    expect(readLayout(line('', 1), columns)).toMatchObject({ refusal: { kind: 'no-header' } });
  });
});

describe('a line of a till', () => {
  test('given a sale, when it is read, then it is one piece of one item', () => {
    expect(readPiece(line('2016-10-30,09:58:11,1,Bread'), LAYOUT)).toEqual({
      kind: 'piece',
      line: 2,
      content: '2016-10-30,09:58:11,1,Bread',
      date: '2016-10-30',
      second: 9 * 3_600 + 58 * 60 + 11,
      transaction: '1',
      item: 'Bread',
    });
  });

  test.each([
    ['2016-10-30,09:58:11,1,NONE', 'voided line'],
    ['2016-10-30,09:58:11,1,Adjustment', 'adjustment, no product'],
    ['2016-10-30,09:58:11,1,', 'no item'],
    ['2016-10-30,09:58:11,1', 'torn line: 3 of 4 fields'],
    ['2016-10-30,09:58:11,1,Bread,extra', 'torn line: 5 of 4 fields'],
    ['2016-02-30,09:58:11,1,Bread', 'no date'],
    ['yesterday,09:58:11,1,Bread', 'no date'],
    ['2016-10-30,25:58:11,1,Bread', 'no time of day'],
    ['2016-10-30,,1,Bread', 'no time of day'],
    ['2016-10-30,09:58:11,,Bread', 'no transaction number'],
    ['2016-10-30,09:58:11,1,"Bread', 'torn line: a quote without its other half'],
    ['2016-10-30,09:58:11,1,Br\u0000ead', 'torn line: control characters in the item'],
    ['', 'empty line'],
    ['Date,Time,Transaction,Item', 'the header again'],
  ])('given %j, when it is read, then it is listed: %s', (text, reason) => {
    expect(readPiece(line(text), LAYOUT)).toMatchObject({ kind: 'listed', line: 2, reason });
  });

  test('given quotes, spaces and capitals, when they are read, then the item is what was meant', () => {
    expect(readPiece(line('2016-10-30,9:58,1,"Cake, a slice"'), LAYOUT)).toMatchObject({ item: 'Cake, a slice' });
    expect(readPiece(line('2016-10-30 , 09:58 , 1 ,  Coffee   granules '), LAYOUT)).toMatchObject({
      item: 'Coffee granules',
    });
  });

  test('given date and time in one column, when it is mapped to both, then both are read', () => {
    const layout = layoutOf('sold_at,Transaction,Item', { ...TILL_COLUMNS, Date: 'sold_at', Time: 'sold_at' });
    expect(readPiece(line('2024-03-01 10:15:50.520,7,Latte'), layout)).toMatchObject({
      date: '2024-03-01',
      second: 36_950,
    });
    expect(readPiece(line('2024-03-01T10:15:50,7,Latte'), layout)).toMatchObject({
      date: '2024-03-01',
      second: 36_950,
    });
  });

  test('given any text, when it is read, then it is a piece or listed, and the database can hold what is kept of it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), fc.boolean(), (text, isNearlyRight) => {
        const read = readPiece(line(isNearlyRight ? `2016-10-30,09:58:11,1,${text}` : text), LAYOUT);
        expect(['piece', 'listed']).toContain(read.kind);
        expect(read.content).not.toContain('\u0000');
        expect(read.content.isWellFormed()).toBe(true);
        if (read.kind === 'piece') expect(read.item).not.toBe('');
      }),
    );
  });
});

describe('fields, dates and times', () => {
  test('given quoted fields, when they are split, then doubled quotes are one and the rest is as it stands', () => {
    expect(fieldsOf('a,"b ""c"", d",e', ',')).toEqual(['a', 'b "c", d', 'e']);
    expect(fieldsOf('a,"b', ',')).toBeUndefined();
  });

  test('given days as people write them, when they are read, then those that exist are days', () => {
    expect(['2016-10-30', '2016/10/30', '30.10.2016'].map(readDate)).toEqual(Array(3).fill('2016-10-30'));
    expect(['2015-02-29', '30/10/2016', '2016-1-1', '0001-01-01'].map(readDate)).toEqual(Array(4).fill(undefined));
  });

  test('given every second of a day, when it is written and read, then it is the same second', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 86_399 }), (second) => {
        const parts = [Math.floor(second / 3_600), Math.floor(second / 60) % 60, second % 60];
        expect(readTime(parts.map((part) => String(part).padStart(2, '0')).join(':'))).toBe(second);
      }),
    );
    expect(['24:00', '12:60', '12', '1:2:3', ''].map(readTime)).toEqual(Array(5).fill(undefined));
  });
});
