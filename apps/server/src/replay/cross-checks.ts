import type { ReportSource } from './report.ts';

/** A figure that two sides know independently of each other. */
export type CrossCheck = {
  readonly name: string;
  readonly ok: boolean;
  readonly one: number;
  readonly other: number;
};

/** Compares what the replay counted with what the system's books say, and the books with each other. */
export function crossChecks({ file, state, books, reasons, demand }: ReportSource): CrossCheck[] {
  const { counts } = state;
  const units = (...states: readonly string[]) =>
    total(books.units.filter((row) => states.includes(row.state)).map(({ pieces }) => pieces));
  const delivered = books.orders.filter(({ status }) => status === 'delivered');
  const ledger = (kind: string) => total(books.ledger.filter((row) => row.kind === kind).map(({ amount }) => amount));
  const listed = (outcome: string) =>
    total(reasons.filter((each) => each.outcome === outcome).map(({ lines }) => lines));
  const soldUnits = total(books.sold.filter(({ stock }) => stock === 'unit').map(({ pieces }) => pieces));
  const takings = ledger('capture') - ledger('refund');
  return [
    same('lines in the file = sold + refused + listed + not played', file.lines, [
      ...[counts.sold, counts.refused, counts.listed, file.linesNotPlayed],
    ]),
    same('lines refused = those in the list of refused lines', counts.refused, [listed('refused')]),
    same('lines listed = those in the list of refused lines', counts.listed, [listed('listed')]),
    same('pieces refused, by product and day = lines refused', total(demand.map(({ refused }) => refused)), [
      counts.refused,
    ]),
    same(
      'orders placed by the replay = orders in the books',
      counts.orders,
      books.orders.map(({ orders }) => orders),
    ),
    same(
      'tickets had whole or in part = orders handed over',
      counts.tickets.whole + counts.tickets.part,
      delivered.map(({ orders }) => orders),
    ),
    same(
      'lines sold = pieces in the orders handed over',
      counts.sold,
      books.sold.map(({ pieces }) => pieces),
    ),
    same('pieces from the shelf in orders = units sold', soldUnits, [units('sold')]),
    same('units made = sold + thrown out + left', total(books.made.map(({ pieces }) => pieces)), [
      ...[units('sold'), units('discarded'), units('available')],
    ]),
    same(
      'units thrown out = waste recorded',
      units('discarded'),
      books.waste.map(({ pieces }) => pieces),
    ),
    same('no unit is held or allocated at the end', units('held', 'allocated'), [0]),
    same('revenue counted by the replay = totals of the orders handed over', counts.revenue, [
      ...delivered.map(({ amount }) => amount),
    ]),
    same('revenue counted by the replay = ledger, captured less refunded', counts.revenue, [takings]),
  ];
}

function same(name: string, one: number, parts: readonly number[]): CrossCheck {
  const other = total(parts);
  return { name, ok: one === other, one, other };
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
