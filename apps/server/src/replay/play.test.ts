import { instant } from '@provender/kernel';
import { manualClock } from '@provender/platform';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { idFrom } from './identity.ts';
import { readLines } from './lines.ts';
import { type Player, planItem, playTickets } from './play.ts';
import type { CounterSale, Shop } from './shop.ts';
import { type Item, NEW_STATE, type ReplayState, stateFrom, stateJson } from './state.ts';
import type { Checkpoint, ReplayStore } from './store.ts';
import { readTickets } from './tickets.ts';
import { readLayout, TILL_COLUMNS } from './till.ts';
import { NO_HISTORY } from './forecast.ts';

const HOURS = { timeZone: 'Europe/London', opensAt: '08:00', closesAt: '18:00' };
const BEGIN = instant(Date.parse('2016-10-01T00:00:00Z'));

/** A shop in memory that has so many pieces of everything and no more, so that lines alone are under test. */
function shopWith(piecesOfEach: number): Shop {
  const clock = manualClock(BEGIN);
  const stock = new Map<string, number>();
  async function nothing(): Promise<void> {}
  async function sell({ pieces }: CounterSale) {
    const refused = new Map<string, number>();
    let sold = 0;
    for (const [productId, wanted] of pieces) {
      const there = stock.get(productId) ?? piecesOfEach;
      const taken = Math.min(there, wanted);
      stock.set(productId, there - taken);
      if (taken < wanted) refused.set(productId, wanted - taken);
      sold += taken;
    }
    return { refused, orders: 1, total: sold };
  }
  return {
    clock,
    advance: {
      to: async (moment) => {
        if (moment > clock.now()) clock.advanceTo(moment);
      },
      runLate: nothing,
      forget: () => {},
    },
    ...{ settle: nothing, openSite: nothing, introduce: nothing, bake: nothing, stopBaking: nothing, receive: nothing },
    onShelf: async () => stock,
    sell,
    handOver: nothing,
  };
}

type Kept = ReplayStore & { readonly checkpoints: Checkpoint[] };

function storeInMemory(): Kept {
  const checkpoints: Checkpoint[] = [];
  return {
    checkpoints,
    save: async (checkpoint) => void checkpoints.push(checkpoint),
    load: async () => ({ startedAt: null, clock: null, state: null, isDone: false }),
    latestEvent: async () => null,
    async *lines() {},
    reasons: async () => [],
    demand: async () => [],
    close: async () => {},
  };
}

async function play(bytes: Uint8Array, piecesOfEach = 3, from: ReplayState = NEW_STATE, ticketsMax = 1e9) {
  const store = storeInMemory();
  const options = { identity: 'test', hours: HOURS, prices: new Map(), closedDays: new Set<string>(), ticketsMax };
  const player: Player = {
    ...{ shop: shopWith(piecesOfEach), store, options, startedAt: BEGIN },
    ...{ onTicket: () => {}, mayGoOn: () => true },
  };
  const layout = readLayout({ number: 1, text: 'Date,Time,Transaction,Item', isCut: false }, TILL_COLUMNS);
  if (!layout.ok) throw new Error('The header of the test is wrong');
  async function* file() {
    yield bytes;
  }
  async function* afterHeader() {
    for await (const line of readLines(file())) yield { ...line, number: line.number + 1 };
  }
  const outcome = await playTickets(player, readTickets(afterHeader(), layout.value), from);
  const lines = store.checkpoints.flatMap((checkpoint) => checkpoint.lines);
  const demand = store.checkpoints.flatMap((checkpoint) => checkpoint.demand);
  return { ...outcome, lines, demand };
}

const row = fc
  .tuple(
    fc.constantFrom('2016-10-01', '2016-10-02', '2016-10-03', '2019-01-01', 'never'),
    fc.integer({ min: 0, max: 23 }),
    fc.integer({ min: 1, max: 4 }),
    fc.constantFrom('Bread', 'Coffee', 'NONE', 'Adjustment', '__proto__', 'constructor', 'Crème', '"torn', 'a,b', ''),
  )
  .map(([date, hour, transaction, item]) => Buffer.from(`${date},${hour}:15,${transaction},${item}`, 'latin1'));
const dirt = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0x0a)));

describe('lines of a replay', () => {
  test('given arbitrary dirt, when it is played, then lines in = sold + refused + listed, and each is told once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof({ weight: 4, arbitrary: row }, dirt), { maxLength: 50 }), async (rows) => {
        const bytes = Buffer.concat([
          Buffer.from('x\n'),
          ...rows.map((each) => Buffer.concat([each, Buffer.from('\n')])),
        ]);
        const { state, lines, demand } = await play(bytes);
        const { counts } = state;
        expect(counts.lines).toBe(rows.length + 1);
        expect(counts.sold + counts.refused + counts.listed).toBe(counts.lines);
        const count = (outcome: string) => lines.filter((line) => line.outcome === outcome).length;
        expect([count('refused'), count('listed')]).toEqual([counts.refused, counts.listed]);
        expect(new Set(lines.map(({ number }) => number)).size).toBe(lines.length);
        expect(demand.reduce((sum, { wanted }) => sum + wanted, 0)).toBe(counts.sold + counts.refused);
        expect(state.nextLine).toBe(counts.lines + 2);
      }),
      { numRuns: 150 },
    );
  });

  test('given a ticket for more than there is, when it is played, then the last pieces are refused by their lines', async () => {
    const bytes = Buffer.from('2016-10-01,10:00,1,Bread\n'.repeat(5));
    const { state, lines } = await play(bytes, 3);
    expect(lines.map(({ number, outcome, reason }) => [number, outcome, reason])).toEqual([
      [6, 'refused', 'Bread was out of stock'],
      [5, 'refused', 'Bread was out of stock'],
    ]);
    expect(state.counts.tickets).toEqual({ whole: 0, part: 1, refused: 0, empty: 0 });
  });

  test('given sales outside opening hours, when they are played, then they count', async () => {
    const { state } = await play(
      Buffer.from('2016-10-01,1:21,1,Bread\n2016-10-01,10:00,2,Bread\n2016-10-01,23:00,3,Bread\n'),
    );
    expect(state.counts).toMatchObject({ sold: 3, outsideHours: 2 });
  });

  test('given a number of tickets, when no more are to be played, then the rest is left alone', async () => {
    const { state, isDone } = await play(
      Buffer.from('2016-10-01,10:00,1,Tea\n2016-10-01,10:01,2,Tea\n'),
      3,
      NEW_STATE,
      1,
    );
    expect([state.counts.lines, isDone]).toEqual([1, true]);
  });

  test('given a state, when it is kept as JSON and read again, then nothing is lost of it', async () => {
    const { state } = await play(Buffer.from('2016-10-01,10:00,1,__proto__\n2016-10-02,10:00,1,Bread\n'));
    expect(stateFrom(JSON.parse(JSON.stringify(stateJson(state))))).toEqual(state);
    expect([...state.items.keys()]).toEqual(['__proto__', 'bread']);
  });
});

describe('the plan of a day', () => {
  function item(keeping: Item['keeping'], mean: number): Item {
    const history = { ...NO_HISTORY, overall: { value: mean, days: 30 } };
    const assumed = { isPriceAssumed: true, isCostAssumed: true, isNamed: true };
    const rest = { firstDay: '2016-10-01', schedule: null, today: { wanted: 0, refused: 0 } };
    return { ...{ productId: 'p', name: 'Item', keeping, price: 300, unitCost: 100, history }, ...assumed, ...rest };
  }
  const monday = { date: '2016-10-03', isClosed: false, onShelf: 0, hours: HOURS };

  test('given bread, when a day is planned, then it is baked at opening, whatever lies there', () => {
    expect(planItem(item('bread', 8), monday)).toEqual({ receive: 0, baking: { everySeconds: 36_000, quantity: 9 } });
    expect(planItem(item('bread', 8), { ...monday, onShelf: 5 })).toEqual(planItem(item('bread', 8), monday));
  });

  test('given cakes of yesterday, when a day is planned, then only what is missing is baked', () => {
    expect(planItem(item('cake', 8), { ...monday, onShelf: 5 }).baking?.quantity).toBe(8);
    expect(planItem(item('cake', 8), { ...monday, onShelf: 20 }).baking).toBeUndefined();
  });

  test('given goods that are bought in or made to order, when a day is planned, then none of them is baked', () => {
    expect(planItem(item('bought-in', 1), monday)).toMatchObject({ receive: 12, baking: undefined });
    expect(planItem(item('made-to-order', 50), monday)).toEqual({ receive: 0, baking: undefined });
  });

  test('given a day on which the shop stays shut, when it is planned, then nothing is made or bought', () => {
    expect(planItem(item('bread', 8), { ...monday, isClosed: true })).toEqual({ receive: 0, baking: undefined });
  });
});

describe('ids of a replay', () => {
  test('given the same parts, when an id is made, then it is the same; and ids sort by their moment', () => {
    expect(idFrom(BEGIN, 'a', 'b')).toBe(idFrom(BEGIN, 'a', 'b'));
    expect(idFrom(BEGIN, 'a', 'b')).not.toBe(idFrom(BEGIN, 'a', 'c'));
    expect(idFrom(BEGIN, 'z') < idFrom(instant(BEGIN + 1), 'a')).toBe(true);
  });
});
