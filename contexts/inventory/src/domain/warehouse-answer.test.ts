import { describe, expect, test } from 'vitest';
import { FAULTS_TOLD_MAX, readWarehouseAnswer, WAREHOUSES_MAX } from './warehouse-answer.ts';

const item = { sku: 'FLOUR-25', name: 'Flour 25 kg', quantity: 120 };
const warehouse = { id: 'w1', name: 'North', items: [item] };

function faultsOf(document: unknown) {
  const read = readWarehouseAnswer(document);
  return read.ok ? undefined : read.refusal.faults.map(({ pointer, detail }) => `${pointer} ${detail}`);
}

describe('readWarehouseAnswer', () => {
  test('given an answer of the agreed form, then all of it is read, and what we do not know is passed over', () => {
    const document = {
      warehouses: [
        { ...warehouse, manager: 'Ann' },
        { ...warehouse, id: 'w2', items: [] },
      ],
      at: 1,
    };
    expect(readWarehouseAnswer(document)).toEqual({
      ok: true,
      value: {
        warehouses: [
          { id: 'w1', name: 'North' },
          { id: 'w2', name: 'North' },
        ],
        items: [{ warehouseId: 'w1', ...item }],
      },
    });
  });

  test.for([
    ['no object', null, '/warehouses must be a list'],
    ['a list', [warehouse], '/warehouses must be a list'],
    ['no warehouses', {}, '/warehouses must be a list'],
    ['a warehouse that is text', { warehouses: ['w1'] }, '/warehouses/0 must be an object'],
    ['no id', { warehouses: [{ ...warehouse, id: 1 }] }, '/warehouses/0/id must be a short line of text'],
    [
      'an id with a NUL',
      { warehouses: [{ ...warehouse, id: 'w\u0000' }] },
      '/warehouses/0/id must be a short line of text',
    ],
    ['one id twice', { warehouses: [warehouse, warehouse] }, '/warehouses/1/id stands there twice'],
    ['no name', { warehouses: [{ ...warehouse, name: '' }] }, '/warehouses/0/name must be a line of text'],
    ['no items', { warehouses: [{ ...warehouse, items: {} }] }, '/warehouses/0/items must be a list'],
    [
      'an item that is null',
      { warehouses: [{ ...warehouse, items: [null] }] },
      '/warehouses/0/items/0 must be an object',
    ],
    [
      'one sku twice',
      { warehouses: [{ ...warehouse, items: [item, item] }] },
      '/warehouses/0/items/1/sku stands there twice',
    ],
    [
      'half a surrogate',
      { warehouses: [{ ...warehouse, items: [{ ...item, name: '\ud800' }] }] },
      '/warehouses/0/items/0/name must be a line of text',
    ],
    ...[-1, 1.5, 1e21, Number.POSITIVE_INFINITY, '120', null, [120], true].map(
      (quantity) =>
        [
          `a quantity of ${JSON.stringify(quantity)}`,
          { warehouses: [{ ...warehouse, items: [{ ...item, quantity }] }] },
          '/warehouses/0/items/0/quantity must be whole, from 0 to 1000000000',
        ] as const,
    ),
  ] as const)('given %s, then the whole answer is refused, and says where', ([, document, fault]) => {
    expect(faultsOf(document)).toEqual([fault]);
  });

  test('given very much that is wrong, then the first faults are told and all are counted', () => {
    const items = Array.from({ length: 1_000 }, (_, place) => ({ ...item, sku: `S${place}`, quantity: -1 }));
    const read = readWarehouseAnswer({ warehouses: [{ ...warehouse, items }] });
    expect(read).toMatchObject({ ok: false, refusal: { faultCount: 1_000 } });
    expect(faultsOf({ warehouses: [{ ...warehouse, items }] })).toHaveLength(FAULTS_TOLD_MAX);
  });

  test('given more warehouses than anybody has, then the answer is refused', () => {
    const warehouses = Array.from({ length: WAREHOUSES_MAX + 1 }, (_, place) => ({ ...warehouse, id: `w${place}` }));
    expect(faultsOf({ warehouses })).toEqual([`/warehouses must be ${WAREHOUSES_MAX} at most`]);
  });
});
