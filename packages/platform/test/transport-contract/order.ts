import { describe, expect, test } from 'vitest';
import { registered } from '../toy-context.ts';
import { consumedAll, numbered, underTest, world } from './under-test.ts';

describe(`${underTest().name}: order`, () => {
  test('given many events in many transactions, when consumed, then each takes effect once and in order', async () => {
    const one = world().process();
    await one.consume();
    const subjects = numbered('person', 500);
    for (let index = 0; index < subjects.length; index += 7) {
      await one.say(subjects.slice(index, index + 7).map(registered));
    }
    await consumedAll();

    expect(await world().greeted()).toEqual(subjects);
    expect(await world().answered()).toEqual(subjects);
  });

  test('given a few wanted events among many others, when consumed, then the cursor passes all of them', async () => {
    const one = world().process();
    await one.consume();
    const subjects = numbered('person', 40);
    for (const [index, subject] of subjects.entries()) {
      const data = { userId: subject, roles: [] };
      const other = { type: 'identity.roles-changed.v1', key: subject, subject, data } as const;
      for (let count = 0; count < index % 4; count += 1) await one.say([other, other]);
      await one.say(index % 3 === 0 ? [other, registered(subject), other] : [registered(subject)]);
    }
    await one.say([
      { type: 'identity.roles-changed.v1', key: 'end', subject: 'end', data: { userId: 'end', roles: [] } },
    ]);
    await consumedAll();

    expect(await world().greeted()).toEqual(subjects);
    expect(await world().answered()).toEqual(subjects);
  });

  test('given overlapping writers of which some roll back, then positions are gapless and nothing is lost', async () => {
    const [one, two] = [world().process(), world().process()];
    await one.consume();
    const said: string[] = [];
    const writers = numbered('writer', 120).map(async (subject, index) => {
      const events = Array.from({ length: 1 + (index % 4) }, (_, nth) => registered(`${subject}.${nth}`));
      const process = index % 2 === 0 ? one : two;
      try {
        await process.say(events, async () => {
          await new Promise((resolve) => setTimeout(resolve, (index * 7) % 40));
          if (index % 5 === 0) throw new Error('changed my mind');
        });
        said.push(...events.map((event) => event.subject));
      } catch (error) {
        expect(String(error)).toContain('changed my mind');
      }
    });
    await Promise.all(writers);
    await consumedAll();

    const log = await world().sql<{ position: string; subject: string }>(
      'SELECT position, subject FROM identity.outbox ORDER BY position',
    );
    expect(log.map((row) => Number(row.position))).toEqual(said.map((_, index) => index + 1));
    expect(log.map((row) => row.subject).toSorted()).toEqual(said.toSorted());
    expect(await world().greeted()).toEqual(log.map((row) => row.subject));
  });

  test('given what a consumer has said, when committed, then its log is gapless too', async () => {
    const one = world().process();
    await one.consume();
    await one.say(numbered('person', 10).map(registered));
    await consumedAll();
    const [log] = await world().sql(
      'SELECT array_agg(position ORDER BY position)::text AS positions FROM catalog.outbox',
    );

    expect(log).toEqual({ positions: '{1,2,3,4,5,6,7,8,9,10}' });
  });
});
