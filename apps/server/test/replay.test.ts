import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createTestDatabase, type TestDatabase } from '@provender/platform/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const REAL_TILL = fileURLToPath(new URL('../../../../shared/data/bread-basket-till.csv', import.meta.url));
const PATIENCE_MILLISECONDS = 180_000;

const ITEMS = ['Bread', 'Bread', 'Croissant', 'Coffee', 'Tea', 'Cookies', 'Coke', 'Xyzzy'];

/** Three days with a day between them that has no ticket; always the same. Returns text with all kinds of dirt. */
function syntheticTill(): Buffer {
  const lines = ['\ufeffDate,Time,Transaction,Item,Cashier'];
  let number = 0;
  let seed = 7;
  const next = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * below);
  };
  for (const date of ['2016-12-23', '2016-12-24', '2016-12-26']) {
    for (let minute = 7 * 60 + 50; minute < 18 * 60 + 20; minute += 30 + next(20)) {
      number += 1;
      const time = `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}:07`;
      for (let piece = 0; piece <= next(4); piece += 1) {
        lines.push(`${date},${time},${number},${ITEMS[next(ITEMS.length)]},Zoë`);
      }
    }
    number += 1;
    lines.push(`${date},18:30:00,${number},NONE,Zoë`, 'torn', `${date},18:31:00,${number},"Bread`, '');
  }
  const text = Buffer.from(lines.join('\r\n'));
  return Buffer.concat([text, Buffer.from('\r\n2016-12-26,20:00:00,900,Crème brûlée,x', 'latin1')]);
}

type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

function start(args: readonly string[]): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const child = spawn(process.execPath, [MAIN, 'replay', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => (stdout += data));
  child.stderr.on('data', (data) => (stderr += data));
  const ended = once(child, 'close').then(([code]) => ({ code, stdout, stderr }));
  return { child, ended };
}

describe('a till is replayed', { timeout: PATIENCE_MILLISECONDS }, () => {
  const databases: TestDatabase[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'provender-replay-'));
  const till = join(folder, 'till.csv');
  const prices = join(folder, 'prices.csv');
  let reference: { readonly ended: Ended; readonly report: string; readonly page: string; readonly database: string };

  async function emptyDatabase(): Promise<string> {
    const database = await createTestDatabase();
    databases.push(database);
    return database.url;
  }

  async function replay(file: string, name: string, ...more: readonly string[]) {
    const database = await emptyDatabase();
    const files = ['--json', join(folder, `${name}.json`), '--html', join(folder, `${name}.html`)];
    const args = [file, '--database', database, ...files, '--refused', join(folder, `${name}.csv`), ...more];
    const ended = await start(args).ended;
    const read = (end: string) =>
      existsSync(join(folder, name + end)) ? readFileSync(join(folder, name + end), 'utf8') : '';
    return { ended, report: read('.json'), page: read('.html'), refused: read('.csv'), args, database };
  }

  beforeAll(async () => {
    writeFileSync(till, syntheticTill());
    writeFileSync(prices, 'item,price,cost\nBread,3.10,1.00\nCoffee,2.50,0.40\n');
    reference = await replay(till, 'reference', '--prices', prices);
  }, PATIENCE_MILLISECONDS);

  afterAll(async () => {
    for (const database of databases) await database.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('given a till with dirt, when it is played, then every line is sold, refused or listed, and every promise holds', () => {
    const { ended, report } = reference;
    expect(ended.stderr).not.toContain('Error');
    expect(ended.code).toBe(0);
    const { file, counts, crossChecks, verify, totals, period, assumed } = JSON.parse(report);
    expect(counts.sold + counts.refused + counts.listed).toBe(file.lines);
    expect(file).toMatchObject({ linesNotPlayed: 0, unusedColumns: ['Cashier'] });
    expect(counts.tickets.empty).toBe(3);
    expect(crossChecks.filter((check: { ok: boolean }) => !check.ok)).toEqual([]);
    expect(verify.ok).toBe(true);
    expect(verify.checks.length).toBeGreaterThan(20);
    expect(totals.made).toBe(
      totals.soldFromShelf + totals.left + totals.thrownOut.closing + (totals.thrownOut.stale ?? 0),
    );
    expect(period.quietDays).toEqual(['2016-12-25']);
    expect(assumed.join(' ')).toContain('are assumed');
    expect(ended.stdout).toMatch(/^ok   P1 /m);
  });

  test('given lines that were not sold, when it is played, then they are listed with number, reason and content', () => {
    const refused = readFileSync(join(folder, 'reference.csv'), 'utf8').trimEnd().split('\n');
    const { counts } = JSON.parse(reference.report);
    expect(refused).toHaveLength(1 + counts.refused + counts.listed);
    expect(refused).toContainEqual(expect.stringMatching(/^\d+,listed,"torn line: 1 of 5 fields","torn"$/));
    expect(refused).toContainEqual(expect.stringMatching(/^\d+,listed,"voided line",/));
  });

  test('given Latin-1 in a UTF-8 file, when it is played, then the item has its name', () => {
    const { products } = JSON.parse(reference.report);
    expect(products.map(({ name }: { name: string }) => name)).toContain('Crème brûlée');
    const bread = products.find(({ name }: { name: string }) => name === 'Bread');
    expect(bread).toMatchObject({ price: 310, isPriceAssumed: false });
  });

  test('given the page, when it is opened, then it has its charts and asks no other host for anything', () => {
    expect(reference.page).toContain('<svg');
    expect(reference.page).toContain('prefers-color-scheme: dark');
    expect(reference.page).not.toMatch(/https?:|src=|url\(|@import/);
  });

  test('given the same file again, when it is played in another database, then the report is the same to the letter', async () => {
    const again = await replay(till, 'again', '--prices', prices);
    expect(again.ended.code).toBe(0);
    expect(again.report).toBe(reference.report);
  });

  test('given kill −9 again and again, when it is started again, then it goes on and comes to the same report', async () => {
    const database = await emptyDatabase();
    const args = [till, '--database', database, '--prices', prices, '--json', join(folder, 'killed.json')];
    for (const orders of [1, 17, 40]) {
      const { child, ended } = start(args);
      await untilOrders(database, orders, child);
      child.kill('SIGKILL');
      await ended;
    }
    const { code, stderr } = await start(args).ended;
    expect(stderr).toContain('Going on from');
    expect(code).toBe(0);
    expect(readFileSync(join(folder, 'killed.json'), 'utf8')).toBe(reference.report);
  });

  test('given a file that ends earlier, when it is played, then the days before are the same: none was planned from later ones', async () => {
    const shorter = join(folder, 'shorter.csv');
    const bytes = readFileSync(till);
    writeFileSync(shorter, bytes.subarray(0, bytes.indexOf('2016-12-26')));
    const { ended, report } = await replay(shorter, 'shorter', '--prices', prices);
    expect(ended.code).toBe(0);
    const { days } = JSON.parse(report);
    expect(days).toHaveLength(2);
    expect(days).toEqual(JSON.parse(reference.report).days.slice(0, 2));
  });

  test('given a replay that is done, when it is asked for again, then it plays nothing and gives its report', async () => {
    const json = join(folder, 'done.json');
    const args = [till, '--database', reference.database, '--prices', prices, '--json', json];
    expect(await start(args).ended).toMatchObject({ code: 0 });
    expect(readFileSync(json, 'utf8')).toBe(reference.report);
    const other = await start([...args, '--limit', '5']).ended;
    expect(other.code).toBe(2);
    expect(other.stderr).toContain('it holds a replay of another file, or with other options');
  });

  test('given a file without a column, when it is played, then one line says which, and the exit code is 2', async () => {
    const { code, stderr } = await start([till, '--columns', 'Item=Artikel', '--database', reference.database]).ended;
    expect(stderr.trim()).toMatch(
      /^The first line has no column "Artikel", but "Date",.* Say which it is with --columns\.$/,
    );
    expect(code).toBe(2);
  });

  const skipped = existsSync(REAL_TILL) ? undefined : `${REAL_TILL} is not there`;
  if (skipped !== undefined) console.log(`skipped, ${skipped}: the real till`);
  test.skipIf(skipped !== undefined)(
    'given a real till (skipped where ../shared/data is not there), when its first days are played, then it adds up',
    async () => {
      const { ended, report } = await replay(REAL_TILL, 'real', '--limit', '180');
      expect(ended.stderr).not.toContain('Error');
      expect(ended.code).toBe(0);
      const { file, counts, totals } = JSON.parse(report);
      expect(counts.sold + counts.refused + counts.listed + file.linesNotPlayed).toBe(file.lines);
      expect(totals.revenue).toBeGreaterThan(50_000);
    },
  );
});

async function untilOrders(database: string, orders: number, child: ChildProcess): Promise<void> {
  const client = new pg.Client({ connectionString: database });
  await client.connect();
  try {
    while (child.exitCode === null) {
      const text = "SELECT to_regclass('orders.orders') IS NOT NULL AS there";
      const { rows } = await client.query<{ there: boolean }>(text);
      if (rows[0]?.there === true) {
        const counted = await client.query<{ count: number }>('SELECT count(*)::integer AS count FROM orders.orders');
        if ((counted.rows[0]?.count ?? 0) >= orders) return;
      }
      await wait(5);
    }
    throw new Error('The replay ended before it could be killed');
  } finally {
    await client.end();
  }
}
