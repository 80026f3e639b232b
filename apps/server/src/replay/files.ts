import { createReadStream, createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, parse, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { readLines } from './lines.ts';
import type { ReplayOptions } from './options.ts';
import type { Report } from './report.ts';
import { reportHtml } from './report-html.ts';
import type { LineOutcome } from './store.ts';

/** The lines of a file after its header, counted by themselves: what the replay has counted must come to the same. */
export async function countLines(file: string): Promise<number> {
  let lines = 0;
  for await (const line of readLines(createReadStream(file))) lines = line.number - 1;
  return lines;
}

/**
 * Writes what was asked for, and the list of lines that were not sold. Gives a line for each file, saying where it is.
 */
export async function writeReports(
  options: ReplayOptions,
  report: Report,
  lines: AsyncIterable<LineOutcome>,
): Promise<string[]> {
  const { jsonFile, htmlFile } = options;
  const written: string[] = [];
  if (jsonFile !== undefined) {
    write(jsonFile, `${JSON.stringify(report, null, 2)}\n`);
    written.push(`The report as JSON is in ${resolve(jsonFile)}`);
  }
  if (htmlFile !== undefined) {
    write(htmlFile, reportHtml(report));
    written.push(`The report as a page is in ${resolve(htmlFile)}`);
  }
  const refusedFile = refusedFileOf(options);
  const count = await writeLines(refusedFile, lines);
  written.push(`The ${count} lines that were not sold, with number and reason, are in ${resolve(refusedFile)}`);
  return written;
}

/** Beside the report, where there is one; else beside nothing that anybody minds: in the current folder. */
export function refusedFileOf({ file, refusedFile, jsonFile, htmlFile }: ReplayOptions): string {
  if (refusedFile !== undefined) return refusedFile;
  const report = jsonFile ?? htmlFile;
  return join(report === undefined ? '.' : dirname(report), `${parse(file).name}.refused.csv`);
}

async function writeLines(file: string, lines: AsyncIterable<LineOutcome>): Promise<number> {
  let count = 0;
  async function* rows() {
    yield 'line,outcome,reason,content\n';
    for await (const { number, outcome, reason, content } of lines) {
      count += 1;
      yield `${number},${outcome},${quoted(reason)},${quoted(content)}\n`;
    }
  }
  mkdirSync(dirname(resolve(file)), { recursive: true });
  await pipeline(Readable.from(rows()), createWriteStream(file));
  return count;
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

function write(file: string, text: string): void {
  mkdirSync(dirname(resolve(file)), { recursive: true });
  writeFileSync(file, text);
}
