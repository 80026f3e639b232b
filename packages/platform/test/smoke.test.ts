import { SECOND, plus } from '@provender/kernel';
import { afterAll, expect, test } from 'vitest';
import { openTestContext, TEST_NOON } from '../src/testing/index.ts';
import { toyModule, registered } from './toy-context.ts';

const toy = await openTestContext(toyModule());
afterAll(() => toy.close());

test('given a context, when another one says something, then it reacts, and answers with an event', async () => {
  await toy.hear([registered('ann'), registered('bob')]);

  expect(await toy.sql('SELECT subject, position, text FROM catalog.greetings ORDER BY position')).toEqual([
    { subject: 'ann', position: '1', text: 'ann@example.org' },
    { subject: 'bob', position: '2', text: 'bob@example.org' },
  ]);
  const said = await toy.said('catalog.product-withdrawn.v1');
  expect(said.map((event) => [event.subject, event.position])).toEqual([
    ['ann', 1],
    ['bob', 2],
  ]);
});

test('given a timer, when business time passes it, then it runs at its moment', async () => {
  await toy.running.open.remindAt(plus(TEST_NOON, 30 * SECOND));
  await toy.advanceTo(plus(TEST_NOON, 60 * SECOND));

  const [row] = await toy.sql("SELECT heard_at AS at FROM catalog.greetings WHERE subject = 'reminder'");
  expect(row).toEqual({ at: new Date(plus(TEST_NOON, 30 * SECOND)) });
});
