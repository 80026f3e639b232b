import { describe, expect, test } from 'vitest';
import { REPLAY_HELP, readReplayOptions } from './options.ts';

describe('the command line of a replay', () => {
  test('given a file alone, when it is read, then the rest is as the help says', () => {
    const read = readReplayOptions(['till.csv']);
    expect(read.ok && read.value).toMatchObject({
      opensAt: '08:00',
      closesAt: '18:00',
      timeZone: 'Europe/London',
      currency: 'GBP',
    });
    expect(REPLAY_HELP).toContain('08:00-18:00');
  });

  test('given other columns, hours and closed days, when they are read, then they are what was said', () => {
    const read = readReplayOptions([
      ...['till.csv', '--columns', 'Date=day,item=Article', '--hours', '00:00-24:00'],
      ...['--closed', '2016-12-26, 2016-12-25', '--limit', '12'],
    ]);
    expect(read.ok && read.value).toMatchObject({
      columns: { Date: 'day', Time: 'Time', Transaction: 'Transaction', Item: 'Article' },
      ...{ opensAt: '00:00', closesAt: '24:00', closedDays: ['2016-12-25', '2016-12-26'], ticketsMax: 12 },
    });
  });

  test.each([
    [[], 'Name the file to play.'],
    [['a.csv', 'b.csv'], 'One file at a time'],
    [['a.csv', '--columns', 'Item'], '--columns Item: must be such as'],
    [['a.csv', '--columns', 'Price=x'], '--columns Price=x: must be such as'],
    [['a.csv', '--time-zone', 'Mars/Base'], 'must be an IANA time zone'],
    [['a.csv', '--hours', '18:00-08:00'], 'must be such as 08:00-18:00'],
    [['a.csv', '--currency', 'EURO'], 'must be an ISO 4217 code'],
    [['a.csv', '--closed', 'Christmas'], 'must be days such as'],
    [['a.csv', '--limit', '0'], 'must be a number'],
    [['a.csv', '--unknown'], 'Unknown option'],
    [['a.csv', '--fresh', '--database', 'postgres://x/y'], '--fresh goes with'],
  ])('given %j, when it is read, then it is wrong: %s', (args, problem) => {
    const read = readReplayOptions(args);
    expect(read).toMatchObject({ ok: false, refusal: { kind: 'wrong', problem: expect.stringContaining(problem) } });
  });

  test('given the wish for help, when it is read, then that is all', () => {
    expect(readReplayOptions(['--help'])).toEqual({ ok: false, refusal: { kind: 'help' } });
  });
});
