import { formatInstant, HOUR, type Instant, MINUTE, parseInstant, plus } from '@provender/kernel';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KnownProduct, KnownSite } from './known.ts';
import {
  dueSlots,
  nextSlotOf,
  type Plan,
  revisedSchedule,
  type Schedule,
  scheduleFrom,
  scheduleView,
} from './schedule.ts';

function at(text: string): Instant {
  const moment = parseInstant(text);
  if (moment === undefined) throw new Error(`Not an instant: ${text}`);
  return moment;
}

const OPENING = at('2026-11-21T06:00:00Z');
const site: KnownSite = { id: 's', kind: 'shop', timeZone: 'Europe/Berlin', opensAt: '07:00', closesAt: '18:00' };
const product: KnownProduct = {
  id: 'p',
  stock: 'unit',
  shelfLifeMinutes: 60,
  keepsOvernight: false,
  unitCost: { amount: 40, currency: 'EUR' },
  withdrawn: false,
};
const schedule: Schedule = {
  id: 'x',
  siteId: 's',
  productId: 'p',
  every: 'PT30M',
  everyMilliseconds: 30 * MINUTE,
  quantity: 5,
  settledUntil: OPENING,
};

type Overrides = { schedule?: Partial<Schedule>; site?: Partial<KnownSite>; product?: Partial<KnownProduct> };

function plan(overrides: Overrides = {}): Plan {
  return {
    schedule: { ...schedule, ...overrides.schedule },
    site: { ...site, ...overrides.site },
    product: { ...product, ...overrides.product },
  };
}

function due(overrides: Overrides, now: string): string[] {
  return dueSlots(plan(overrides), at(now)).map((slot) => formatInstant(slot).slice(5, 16));
}

describe('a schedule', () => {
  const draft = { siteId: 's', productId: 'p', every: 'PT30M', quantity: 5 };

  test('given a good draft, when made, then it is settled until now and shows what was asked for', () => {
    const made = scheduleFrom('x', draft, OPENING);
    expect(made).toEqual({ ok: true, value: schedule });
    expect(made.ok && scheduleView(made.value)).toEqual({ id: 'x', ...draft });
  });

  test.each(['PT59S', 'PT0S', 'P1DT1S', 'P2D', 'PT90.5S', 'nonsense'])(
    'given every %s, when made or changed, then it is refused with the place of the fault',
    (every) => {
      const refusal = { kind: 'invalid', faults: [{ pointer: '/every', detail: expect.any(String) }] };
      expect(scheduleFrom('x', { ...draft, every }, OPENING)).toEqual({ ok: false, refusal });
      expect(revisedSchedule(schedule, { every })).toEqual({ ok: false, refusal });
    },
  );

  test('given every day or 90 seconds, when made, then it stands', () => {
    expect(scheduleFrom('x', { ...draft, every: 'P1D' }, OPENING).ok).toBe(true);
    expect(scheduleFrom('x', { ...draft, every: 'PT90S' }, OPENING).ok).toBe(true);
  });

  test('given a patch of one member, when changed, then the other stays', () => {
    expect(revisedSchedule(schedule, { quantity: 7 })).toEqual({ ok: true, value: { ...schedule, quantity: 7 } });
    expect(revisedSchedule(schedule, { every: 'PT1H' })).toEqual({
      ok: true,
      value: { ...schedule, every: 'PT1H', everyMilliseconds: HOUR },
    });
  });

  test('given a slot at this moment, when asked for the next, then it is the one after', () => {
    expect(nextSlotOf(plan(), OPENING)).toBe(plus(OPENING, 30 * MINUTE));
  });
});

describe('slots that are due', () => {
  test('given opening time, when it comes, then its slot is due; a moment before, none', () => {
    expect(due({}, '2026-11-21T06:00:00Z')).toEqual(['11-21T06:00']);
    expect(due({ schedule: { settledUntil: at('2026-11-21T05:00:00Z') } }, '2026-11-21T05:59:59Z')).toEqual([]);
  });

  test('given slots that were missed, when caught up, then those whose units are still fresh, and no older ones', () => {
    expect(due({}, '2026-11-21T08:10:00Z')).toEqual(['11-21T07:30', '11-21T08:00']);
  });

  test('given units that go stale at this very moment, when caught up, then they are not baked', () => {
    expect(due({}, '2026-11-21T07:00:00Z')).toEqual(['11-21T06:30', '11-21T07:00']);
  });

  test('given what was settled, when asked again, then it is not due again', () => {
    expect(due({ schedule: { settledUntil: at('2026-11-21T08:00:00.001Z') } }, '2026-11-21T08:10:00Z')).toEqual([]);
    expect(due({ schedule: { settledUntil: at('2026-11-21T09:00:00Z') } }, '2026-11-21T08:10:00Z')).toEqual([]);
  });

  test('given a day behind, when caught up, then nothing older than 24 hours is due, however long it keeps', () => {
    const keeping = { kind: 'warehouse', opensAt: '00:00', closesAt: '24:00' } as const;
    const overrides = {
      site: keeping,
      product: { shelfLifeMinutes: 10_000 },
      schedule: { everyMilliseconds: 6 * HOUR, settledUntil: at('2026-11-01T00:00:00Z') },
    };
    expect(due(overrides, '2026-11-21T12:00:00Z')).toEqual([
      ...['11-20T17:00', '11-20T23:00', '11-21T05:00', '11-21T11:00'],
    ]);
  });

  test('given a shop that has closed since, when caught up, then only what keeps overnight is baked for yesterday', () => {
    const behind = {
      schedule: { everyMilliseconds: 5 * HOUR, settledUntil: at('2026-11-20T14:00:00Z') },
      product: { shelfLifeMinutes: 2_000 },
    };
    expect(due(behind, '2026-11-21T06:30:00Z')).toEqual(['11-21T06:00']);
    const overnight = { ...behind, product: { ...behind.product, keepsOvernight: true } };
    expect(due(overnight, '2026-11-21T06:30:00Z')).toEqual(['11-20T16:00', '11-21T06:00']);
    expect(due({ ...behind, site: { kind: 'vending' } }, '2026-11-21T06:30:00Z')).toEqual([
      '11-20T16:00',
      '11-21T06:00',
    ]);
  });

  test('given units that never go stale, when caught up, then only the slots of the day on the wall', () => {
    const endless = {
      product: { shelfLifeMinutes: null, keepsOvernight: true },
      schedule: { everyMilliseconds: 5 * HOUR, settledUntil: at('2026-11-20T12:00:00Z') },
    };
    expect(due(endless, '2026-11-21T12:00:00Z')).toEqual(['11-21T06:00', '11-21T11:00']);
  });

  test('given a product that is withdrawn or made to order, when slots come, then nothing is due', () => {
    expect(due({ product: { withdrawn: true } }, '2026-11-21T08:10:00Z')).toEqual([]);
    expect(due({ product: { stock: 'made-to-order' } }, '2026-11-21T08:10:00Z')).toEqual([]);
  });

  test('given a process that looks at any moments, when it settles each time, then no slot is due twice', () => {
    const moments = fc.array(fc.integer({ min: 0, max: 48 * 60 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(moments, fc.integer({ min: 1, max: 3_000 }), (minutes, shelfLifeMinutes) => {
        let settledUntil = OPENING;
        const baked: Instant[] = [];
        for (const minute of minutes.toSorted((left, right) => left - right)) {
          const now = plus(OPENING, minute * MINUTE);
          baked.push(...dueSlots(plan({ schedule: { settledUntil }, product: { shelfLifeMinutes } }), now));
          settledUntil = plus(now, 1);
        }
        expect(new Set(baked).size).toBe(baked.length);
      }),
    );
  });

  test('given a process that looks in time each time, when a day has passed, then each of its slots was due', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 29 }), (stepMinutes) => {
        let settledUntil = OPENING;
        const baked: Instant[] = [];
        for (let now = OPENING; now <= plus(OPENING, 11 * HOUR); now = plus(now, stepMinutes * MINUTE)) {
          baked.push(...dueSlots(plan({ schedule: { settledUntil } }), now));
          settledUntil = plus(now, 1);
        }
        expect(baked).toHaveLength(22);
      }),
      { numRuns: 10 },
    );
  });
});
