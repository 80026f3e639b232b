import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startEmbeddedPostgres } from '@provender/platform';
import { measureAll, type Plan } from './measure.ts';
import { printReport } from './report.ts';

const HELP = `npm run bench -- [options]

  --seconds N      length of one run (default 8)
  --rounds N       interleaved rounds, of which the median counts (default 3)
  --clients LIST   closed-loop clients over HTTP (default 1,64,256)
  --skip-history   leaves out the part with a million sold units and a million events
  --out FILE       where the figures go as JSON (default bench/results/latest.json)
`;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '3' },
    clients: { type: 'string', default: '1,64,256' },
    'skip-history': { type: 'boolean', default: false },
    out: { type: 'string', default: fileURLToPath(new URL('../results/latest.json', import.meta.url)) },
    help: { type: 'boolean', default: false },
  },
});

/** fsync stays on, as in production; segments are made before the measuring begins. */
const SETTINGS = { shared_buffers: '1GB', min_wal_size: '2GB', max_wal_size: '8GB', checkpoint_timeout: '30min' };

async function main(): Promise<void> {
  if (values.help) {
    console.log(HELP);
    return;
  }
  const plan: Plan = {
    seconds: positive('seconds', values.seconds),
    rounds: positive('rounds', values.rounds),
    clients: values.clients.split(',').map((text) => positive('clients', text)),
    withHistory: !values['skip-history'],
  };
  const dataFolder = mkdtempSync(join(tmpdir(), 'provender-bench-'));
  const postgres = await startEmbeddedPostgres({ dataFolder, settings: SETTINGS });
  try {
    const figures = await measureAll(postgres, plan, (line) => console.log(line));
    const result = { at: new Date().toISOString(), node: process.version, cores: cpus().length, plan, ...figures };
    mkdirSync(join(values.out, '..'), { recursive: true });
    writeFileSync(values.out, `${JSON.stringify(result, null, 2)}\n`);
    printReport(figures, (line) => console.log(line));
  } finally {
    await postgres.stop();
    rmSync(dataFolder, { recursive: true, force: true });
  }
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name}: must be a whole number from 1`);
  return value;
}

await main();
