import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startEmbeddedPostgres } from '@provender/platform';
import { measureAll, type Plan } from './measure.ts';
import { measureShapes, type ShapesPlan } from './measure-shapes.ts';
import { printReport } from './report.ts';
import { printShapes } from './report-shapes.ts';
import { POSTGRES_SETTINGS, SHAPE_NAMES } from './shapes.ts';

const HELP = `npm run bench -- [options]

  --seconds N      length of one run (default 8)
  --rounds N       interleaved rounds, of which the median counts (default 3)
  --clients LIST   closed-loop clients over HTTP (default 1,64,256; with --split 1,64)
  --skip-history   leaves out the part with a million sold units and a million events
  --split          instead of all that: each context apart, over Kafka and through the gateway, beside the single
                   process, by stage and by part (needs Java and Maven, to fetch Kafka)
  --shapes LIST    of ${SHAPE_NAMES.join(',')} (split-2: two processes of orders, inventory and bank)
  --out FILE       where the figures go as JSON (default bench/results/latest.json, with --split latest-split.json)
`;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '3' },
    clients: { type: 'string' },
    'skip-history': { type: 'boolean', default: false },
    split: { type: 'boolean', default: false },
    shapes: { type: 'string', default: SHAPE_NAMES.join(',') },
    out: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  if (values.help) console.log(HELP);
  else await (values.split ? benchShapes() : benchPurchases());
}

async function benchPurchases(): Promise<void> {
  const plan: Plan = {
    seconds: positive('seconds', values.seconds),
    rounds: positive('rounds', values.rounds),
    clients: positives('clients', values.clients ?? '1,64,256'),
    withHistory: !values['skip-history'],
  };
  const dataFolder = mkdtempSync(join(tmpdir(), 'provender-bench-'));
  const postgres = await startEmbeddedPostgres({ dataFolder, settings: POSTGRES_SETTINGS });
  try {
    const figures = await measureAll(postgres, plan, (line) => console.log(line));
    keep('latest.json', { plan, ...figures });
    printReport(figures, (line) => console.log(line));
  } finally {
    await postgres.stop();
    rmSync(dataFolder, { recursive: true, force: true });
  }
}

async function benchShapes(): Promise<void> {
  const shapes = values.shapes.split(',').map((text) => {
    const shape = SHAPE_NAMES.find((name) => name === text);
    if (shape === undefined) throw new Error(`--shapes: ${text} is none of ${SHAPE_NAMES.join(', ')}`);
    return shape;
  });
  const clients = positives('clients', values.clients ?? '1,64');
  const plan: ShapesPlan = { seconds: positive('seconds', values.seconds), clients, shapes };
  const runs = await measureShapes(plan, (line) => console.log(line));
  keep('latest-split.json', { plan, runs });
  printShapes(runs, (line) => console.log(line));
}

function keep(name: string, figures: object): void {
  const file = values.out ?? fileURLToPath(new URL(`../results/${name}`, import.meta.url));
  const result = { at: new Date().toISOString(), node: process.version, cores: cpus().length, ...figures };
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
}

function positives(name: string, text: string): number[] {
  return text.split(',').map((part) => positive(name, part));
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name}: must be a whole number from 1`);
  return value;
}

await main();
