import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { isTimeZone, type LocalDate, parseTimeOfDay, type Result, accept, refuse } from '@provender/kernel';
import { type ColumnNames, readDate, TILL_COLUMNS, TILL_FIELDS, type TillField } from './till.ts';

export type ReplayOptions = {
  readonly file: string;
  readonly columns: ColumnNames;
  readonly timeZone: string;
  readonly opensAt: string;
  readonly closesAt: string;
  readonly currency: string;
  readonly pricesFile: string | undefined;
  readonly closedDays: readonly LocalDate[];
  readonly ticketsMax: number;
  readonly databaseUrl: string | undefined;
  readonly isFresh: boolean;
  readonly jsonFile: string | undefined;
  readonly htmlFile: string | undefined;
  readonly refusedFile: string | undefined;
};

export type Usage = { readonly kind: 'help' } | { readonly kind: 'wrong'; readonly problem: string };

const HOURS = '08:00-18:00';
const TIME_ZONE = 'Europe/London';
const CURRENCY = 'GBP';

export const REPLAY_HELP = `npm run provender -- replay FILE [options]

Plays a till's CSV (Date,Time,Transaction,Item; one line a piece) through the whole running system under a clock of
its own: days open and close, schedules bake, every ticket is a counter order, sweeps and closings run. Then prints
what was made, sold, thrown out and refused, from the system's own books, and checks every promise. Exit code 1 where
one is broken. It plays in a database of its own; killed and started again, it goes on where it was.

  --columns NAMES     other names of the columns: Date=day,Time=clock,Transaction=receipt,Item=article
                      (one column may hold date and time: Date=sold_at,Time=sold_at)
  --prices FILE       CSV with item,price,cost; what it does not name has an assumed price, and the report says so
  --hours HH:MM-HH:MM opening hours (${HOURS}); sales outside them count too
  --time-zone ZONE    of the till's clock (${TIME_ZONE})
  --currency CODE     of the prices (${CURRENCY})
  --closed DAYS       days on which the shop knew it would stay shut: 2016-12-25,2016-12-26; nothing is baked then
  --limit N           plays the first N tickets only
  --json FILE         writes the report as JSON
  --html FILE         writes the report as one page with charts
  --refused FILE      where the lines that were not sold are listed (by default beside the report)
  --database URL      plays in this empty database instead of one that it makes itself
  --fresh             begins anew, where it had begun or was done

How it plans, each night for the day that begins, from the tickets so far and never from later ones:
  demand      of an item and day is what was asked for, sold or refused. Expected is a mean in which the newest day
              weighs 15 % (the newest of the same weekday 30 %); the weekday's own mean counts half once there are two
              of them.
  baked here  as many as are enough on the share of days on which one more piece still pays (sold with a higher
              probability than its cost is of its price; customers come as Poisson counts). In one batch at opening, in
              more where the shelf life is shorter than the day. Cakes and biscuits keep three days: enough on 95 % of
              the days, less what is still there.
  bought in   filled up for seven days once less than three days' need is left.
  first sight an item nobody has asked for before becomes a product at that moment, with a first tray on the shelf: 20
              loaves, 12 pastries, 10 cakes, 12 bought in on the first day of the file; 6, 4, 4 and 6 later on.
  made to     coffee, tea, sandwiches and the like are never short, and are handed over within a quarter of an hour.
  order       What an item is follows from a list of names, then from words in its name; else it is baked here.
  short       where a ticket cannot be had whole, the customer takes the rest: the order is refused, and a second one
              placed.`;

/** Reads the command line. Wrong is what cannot be done as it was asked, with one line that says why. */
export function readReplayOptions(args: readonly string[]): Result<ReplayOptions, Usage> {
  const wrong = (problem: string) => refuse<Usage>({ kind: 'wrong', problem });
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    return wrong(error instanceof Error ? error.message : String(error));
  }
  const { values, positionals } = parsed;
  if (values.help === true) return refuse({ kind: 'help' });
  const [file, ...more] = positionals;
  if (file === undefined) return wrong('Name the file to play.');
  if (more.length > 0) return wrong(`One file at a time; there is also "${more[0]}".`);
  const columns = readColumns(values.columns);
  if (columns === undefined) return wrong(`--columns ${values.columns}: must be such as Date=day,Item=article.`);
  const [opensAt, closesAt] = (values.hours ?? HOURS).split('-').map((time) => time.trim());
  const opening = parseTimeOfDay(opensAt ?? '') ?? 1_440;
  const closing = parseTimeOfDay(closesAt ?? '') ?? 0;
  if (opensAt === undefined || closesAt === undefined || opening >= closing) {
    return wrong(`--hours ${values.hours}: must be such as ${HOURS}.`);
  }
  const timeZone = values['time-zone'] ?? TIME_ZONE;
  if (!isTimeZone(timeZone)) return wrong(`--time-zone ${timeZone}: must be an IANA time zone such as ${TIME_ZONE}.`);
  const currency = values.currency ?? CURRENCY;
  if (!Intl.supportedValuesOf('currency').includes(currency)) {
    return wrong(`--currency ${currency}: must be an ISO 4217 code such as ${CURRENCY}.`);
  }
  const closed = (values.closed ?? '').split(',').filter((day) => day.trim() !== '');
  const closedDays = closed.map((day) => readDate(day.trim()));
  if (closedDays.includes(undefined)) return wrong(`--closed ${values.closed}: must be days such as 2016-12-25.`);
  const ticketsMax = values.limit === undefined ? Number.MAX_SAFE_INTEGER : Number(values.limit);
  if (!Number.isSafeInteger(ticketsMax) || ticketsMax < 1) return wrong(`--limit ${values.limit}: must be a number.`);
  if (values.fresh === true && values.database !== undefined) {
    return wrong('--fresh goes with the database that the replay makes itself; empty yours by hand.');
  }
  return accept({
    ...{ file: resolve(file), columns, timeZone, opensAt, closesAt, currency, ticketsMax },
    closedDays: closedDays.filter((day) => day !== undefined).toSorted(),
    pricesFile: values.prices,
    databaseUrl: values.database,
    isFresh: values.fresh === true,
    jsonFile: values.json,
    htmlFile: values.html,
    refusedFile: values.refused,
  });
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const wanted = { columns: text, prices: text, hours: text, 'time-zone': text, currency: text, closed: text };
  const files = { limit: text, json: text, html: text, refused: text, database: text, fresh: flag, help: flag };
  return parseArgs({ args: [...args], allowPositionals: true, options: { ...wanted, ...files } });
}

function readColumns(text: string | undefined): ColumnNames | undefined {
  if (text === undefined) return TILL_COLUMNS;
  const columns: Record<TillField, string> = { ...TILL_COLUMNS };
  for (const pair of text.split(',')) {
    const [name, ...rest] = pair.split('=');
    const field = TILL_FIELDS.find((each) => each.toLowerCase() === name?.trim().toLowerCase());
    const column = rest.join('=').trim();
    if (field === undefined || column === '') return undefined;
    columns[field] = column;
  }
  return columns;
}
