// For each law: files that break it, and files near to those that do not.
export type Planted = { readonly breaks: readonly PlantedFile[]; readonly keeps: readonly PlantedFile[] };
type PlantedFile = readonly [path: string, text: string];

const DOMAIN = 'contexts/orders/src/domain/order.ts';
const USE_CASE = 'contexts/orders/src/use-cases/place-order.ts';
const STORE = 'contexts/orders/src/store.ts';
const ROUTES = 'contexts/orders/src/routes.ts';
const TEST = 'contexts/orders/src/domain/order.test.ts';
const lines = (count: number) => '// a line\n'.repeat(count);
const longFunction = (name: string) => `${name} {\n${lines(60)}}\n`;

export const planted: Readonly<Record<string, Planted>> = {
  'imports point inwards': {
    breaks: [
      [DOMAIN, "import { save } from '../store.ts';"],
      [DOMAIN, "import type { Tx } from '@provender/platform';"],
      [DOMAIN, "import { readFileSync } from 'node:fs';"],
      [DOMAIN, "export type Store = import('../store.ts').Store;"],
      [USE_CASE, "import { routes } from '../routes.ts';"],
      [USE_CASE, "import { fastify } from 'fastify';"],
      [STORE, "export { place } from './use-cases/place-order.ts';"],
      [ROUTES, "const index = await import('./index.ts');"],
    ],
    keeps: [
      [DOMAIN, "import { type Result } from '@provender/kernel'; import { line } from './line.ts';"],
      [USE_CASE, "import { save } from '../store.ts'; import { decide } from '../domain/order.ts';"],
      [ROUTES, "import { place } from './use-cases/place-order.ts';"],
      [TEST, "import { test } from 'vitest';"],
    ],
  },
  'no context imports another one': {
    breaks: [[ROUTES, "import { bank } from '@provender/bank';"]],
    keeps: [['apps/server/src/wiring.ts', "import { bank } from '@provender/bank';"]],
  },
  'a workspace is entered by its package name only': {
    breaks: [
      ['apps/server/src/wiring.ts', "import { store } from '@provender/bank/src/store.ts';"],
      ['apps/server/src/wiring.ts', "import { store } from '../../../contexts/bank/src/store.ts';"],
      [ROUTES, "import { open } from '../../bank/src/index.ts';"],
    ],
    keeps: [
      ['apps/server/src/wiring.ts', "import { bank } from '@provender/bank'; import { port } from './port.ts';"],
      [TEST, "import { createTestDatabase } from '@provender/platform/testing';"],
    ],
  },
  'contracts import only the kernel and typebox': {
    breaks: [['packages/contracts/src/bank.ts', "import { db } from '@provender/platform';"]],
    keeps: [['packages/contracts/src/bank.ts', "import { Type } from 'typebox'; import {} from '@provender/kernel';"]],
  },
  'the kernel imports nothing but temporal-polyfill': {
    breaks: [['packages/kernel/src/id.ts', "import { randomUUID } from 'node:crypto';"]],
    keeps: [['packages/kernel/src/id.ts', "import { Temporal } from 'temporal-polyfill'; import './brand.ts';"]],
  },
  'packages know no context, application or test': {
    breaks: [
      ['packages/platform/src/a.ts', "import { bank } from '@provender/bank';"],
      ['packages/platform/src/a.ts', "import { start } from '@provender/server';"],
    ],
    keeps: [['packages/platform/src/a.ts', "import { bankEvents } from '@provender/contracts';"]],
  },
  'contexts know no application': {
    breaks: [
      [TEST, "import { start } from '@provender/server';"],
      [STORE, "import { createTestDatabase } from '@provender/platform/testing';"],
    ],
    keeps: [[TEST, "import { createTestDatabase } from '@provender/platform/testing';"]],
  },
  'SQL stands in store.ts': {
    breaks: [
      [ROUTES, "const text = 'SELECT id FROM orders';"],
      [ROUTES, 'const text = `\n  insert into orders (id) values ($1)`;'],
      [USE_CASE, 'const text = `UPDATE ${table} SET status = $1`;'],
      [USE_CASE, "const text = 'WHERE id = $1';"],
      ['apps/server/src/main.ts', "db.query('DROP TABLE orders');"],
    ],
    keeps: [
      [STORE, "const text = 'SELECT id FROM orders';"],
      [ROUTES, "const help = 'Select one from the menu'; const say = 'update the price';"],
      ['apps/server/src/verify/units.ts', "const text = 'SELECT id FROM inventory.units';"],
    ],
  },
  "no SQL of a context names another context's schema": {
    breaks: [
      [STORE, "const text = 'SELECT id FROM bank.accounts';"],
      [STORE, 'const text = `SELECT o.id FROM order_rows o JOIN "bank".accounts a ON true`;'],
      ['contexts/orders/migrations/0001-orders.sql', 'CREATE VIEW v AS SELECT * FROM inventory.units;'],
      ['contexts/orders/migrations/0001-orders.sql', 'SET search_path TO orders, bank;'],
    ],
    keeps: [
      [STORE, "const text = `SELECT id FROM orders.orders WHERE type = 'bank.payment-captured.v1' -- bank.accounts`;"],
      [ROUTES, "const type = 'bank.payment-captured.v1';"],
    ],
  },
  "no SQL of the platform names a context's schema": {
    breaks: [['packages/platform/src/event-log.ts', "const text = 'SELECT max(position) FROM orders.outbox';"]],
    keeps: [['packages/platform/src/event-log.ts', "const text = 'SELECT max(position) FROM outbox';"]],
  },
  'time, chance, environment and timers': {
    breaks: [
      [USE_CASE, 'const now = Date.now();'],
      [USE_CASE, 'const now = new Date();'],
      [USE_CASE, 'const read = performance.now;'],
      [USE_CASE, 'const id = globalThis.crypto.randomUUID();'],
      [USE_CASE, "import { randomUUID } from 'node:crypto';"],
      [USE_CASE, "import { setTimeout as wait } from 'node:timers/promises';"],
      [STORE, 'const url = process.env.DATABASE_URL;'],
      [STORE, "const url = process.env['DATABASE_URL'];"],
      [DOMAIN, 'const chance = Math.random();'],
      [ROUTES, 'setTimeout(() => {}, 5);'],
    ],
    keeps: [
      [USE_CASE, 'const text = new Date(now).toISOString();'],
      [DOMAIN, 'const setTimeoutMinutes = { setTimeout: 1 };'],
      [TEST, 'const now = Date.now();'],
      ['packages/platform/src/clock.ts', 'const now = Date.now();'],
    ],
  },
  'rules are pure': {
    breaks: [
      [DOMAIN, 'export async function decide(): Promise<void> {}'],
      [DOMAIN, 'export const decide = (a: Promise<number>) => a;'],
    ],
    keeps: [[USE_CASE, 'export async function place(): Promise<void> {}']],
  },
  'no enum and no default export': {
    breaks: [
      [DOMAIN, 'export enum Status { Placed }'],
      [DOMAIN, 'export default function decide() {}'],
    ],
    keeps: [['vitest.config.ts', 'export default {};']],
  },
  'every test runs': {
    breaks: [
      [TEST, "test.only('a', () => {});"],
      [TEST, "describe.skip('a', () => {});"],
      [TEST, "test.todo('a');"],
      [TEST, "test.skipIf(true)('given', () => {});"],
    ],
    keeps: [
      [TEST, "test('a', ({ skip }) => { skip(noBrowser, 'no Chromium here'); });"],
      [TEST, "describe.skipIf(noKafka)('on Kafka (skipped without Java)', () => {});"],
      [TEST, "test.each([1])('a', () => {}); test.concurrent('b', () => {});"],
    ],
  },
  'contexts are those of the design': {
    breaks: [['contexts/loyalty/src/index.ts', '']],
    keeps: [['contexts/fleet/src/index.ts', '']],
  },
  'a file has at most': {
    breaks: [[STORE, lines(401)]],
    keeps: [
      [STORE, lines(400)],
      ['docs/long.md', lines(500)],
    ],
  },
  'a function has at most': {
    breaks: [
      [STORE, longFunction('function a()')],
      [STORE, longFunction('const a = () =>')],
      [STORE, `function a() {\n${lines(59)}const b = () => {\n};\n}\n`],
      [TEST, longFunction("test('a', () =>").replace(/}\n$/, '});\n')],
    ],
    keeps: [
      [STORE, `function a() {\n${lines(58)}}\n`],
      [STORE, `function a() {\n${lines(30)}const b = () => {\n${lines(30)}};\n${lines(20)}}\n`],
      [TEST, longFunction("describe('a', () =>").replace(/}\n$/, '});\n')],
      [TEST, longFunction("describeWithKafka('a', () =>").replace(/}\n$/, '});\n')],
    ],
  },
  'a line has at most': {
    breaks: [[STORE, `// ${'x'.repeat(118)}\n`]],
    keeps: [
      [STORE, `// ${'é'.repeat(117)}\n`],
      ['docs/wide.md', 'x'.repeat(200)],
      [TEST, `test('${'given '.repeat(20)}', () => {});\n`],
    ],
  },
  'files and folders are named in kebab-case': {
    breaks: [
      ['contexts/orders/src/placeOrder.ts', ''],
      ['docs/How-To/a.md', ''],
      ['contexts/orders/src/place_order.ts', ''],
    ],
    keeps: [
      ['contexts/orders/migrations/0001-orders.sql', ''],
      ['contexts/orders/README.md', ''],
      ['deploy/Dockerfile', ''],
      ['.oxlintrc.json', ''],
    ],
  },
  'no name ends in Manager': {
    breaks: [
      [STORE, 'export class OrderManager {}'],
      [STORE, 'type OrderService = string;'],
      [STORE, 'const sqlUtils = 1;'],
      ['contexts/orders/src/date-utils.ts', ''],
      ['contexts/orders/src/helpers.ts', ''],
    ],
    keeps: [[STORE, 'type Database = string; const isManager = true; function serve() {} const purpose = 1;']],
  },
  'nothing is left for later in the code': {
    breaks: [
      [STORE, '// TODO: an index\n'],
      ['contexts/orders/migrations/0001-orders.sql', '-- FIXME\n'],
    ],
    keeps: [[STORE, 'const todo = 1;\n']],
  },
  'every context is furnished alike': {
    breaks: [[STORE, '']],
    keeps: [['packages/kernel/src/id.ts', '']],
  },
  "what is beyond a context's furniture": {
    breaks: [['contexts/orders/src/printing.ts', '']],
    keeps: [
      [ROUTES, ''],
      [TEST, ''],
    ],
  },
  'a document has exactly one title': {
    breaks: [
      ['docs/a.md', '# One\n\n# Two\n'],
      ['docs/a.md', 'No title\n'],
    ],
    keeps: [['docs/a.md', '# One\n\n```sh\n# a comment\n```\n']],
  },
  'decision records are numbered': {
    breaks: [['docs/decisions/0002-sets.md', '']],
    keeps: [['docs/decisions/0001-sets.md', '']],
  },
  'links between documents': {
    breaks: [['docs/a.md', 'See [the glossary](glossary.md).']],
    keeps: [['docs/a.md', 'See [this](../docs/a.md#part), [that](https://example.org/x) and [here](#part).']],
  },
};
