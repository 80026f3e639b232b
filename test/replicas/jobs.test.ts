import { HOUR, MINUTE } from '@provender/kernel';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { addPeople, defineProduct, made, openSite, type People } from '../support/town.ts';
import { MORNING } from '../support/town-shape.ts';
import { describeOverBoth, type Replica, type Replicas, startReplicas } from './replicas.ts';

// Every replica runs the timers of its contexts; each that falls due is run by one of them.

const REPLICAS = 3;
const EVERY_MINUTES = 15;
const HOURS = 4;
const QUANTITY = 3;
const WAIT = { timeout: 30_000, interval: 50 };

describeOverBoth('three replicas with their timers', (carrier) => {
  let replicas: Replicas;
  let people: People;
  let siteId: string;
  let bread: string;

  beforeAll(async () => {
    replicas = await startReplicas({ carrier, count: REPLICAS, timers: true });
    const [first] = replicas.all as [Replica];
    people = await addPeople(first);
    siteId = await openSite(first, people.manager);
    bread = await defineProduct(first, people.manager, { shelfLife: 'PT9H' });
    await replicas.idle();
  }, 60_000);
  afterAll(() => replicas.close());

  test('given a schedule, when its time comes again and again, then each batch is baked once', async () => {
    const { token } = people.manager;
    const body = { siteId, productId: bread, every: `PT${EVERY_MINUTES}M`, quantity: QUANTITY };
    await made(replicas.all[1] as Replica, 'POST /api/production/schedules', { token, body });
    // The shop has been open for two hours: what is due now is baked at once.
    const moments: number[] = [];
    for (let at: number = MORNING; at <= MORNING + HOURS * HOUR; at += EVERY_MINUTES * MINUTE) {
      moments.push(at);
    }
    for (const moment of moments) {
      // Some at once, as after a rest of all replicas.
      if (moment % HOUR !== 0) continue;
      replicas.clock.advanceTo(moment as typeof MORNING);
      await vi.waitFor(async () => expect(await overdue()).toBe(0), WAIT);
    }
    await replicas.idle();
    const baked = await replicas.sql<{ at: Date }>(
      "SELECT (data ->> 'madeAt')::timestamptz AS at FROM production.outbox WHERE type = 'production.batch-baked.v1'",
    );
    expect(baked.map(({ at }) => at.getTime()).sort((one, other) => one - other)).toEqual(moments);
    const [units] = await replicas.sql<{ count: string }>('SELECT count(*) FROM inventory.units');
    expect(Number(units?.count)).toBe(moments.length * QUANTITY);
    await replicas.all[0]?.expectPromises();
  });

  async function overdue(): Promise<number> {
    const contexts = ['production', 'inventory', 'orders'];
    const parts = contexts.map((context) => `SELECT name FROM ${context}.timers WHERE due_at <= $1`);
    const rows = await replicas.sql(parts.join(' UNION ALL '), [new Date(replicas.clock.now())]);
    return rows.length;
  }
});
