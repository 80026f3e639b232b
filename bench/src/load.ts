import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { LoadOrder, LoadResult } from './load-client.ts';

/** What a run of the closed-loop client gave, as figures. Latencies in milliseconds. */
export type Load = {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly count: number;
  readonly refused: number;
  /** Answered 202: not complete when it was answered. Part of the count. */
  readonly late: number;
  readonly clientCpuMilliseconds: number;
};

/** Runs the client in a process of its own and waits for its figures. Throws where most answers were not 2xx. */
export async function runLoad(order: LoadOrder): Promise<Load> {
  const child = fork(fileURLToPath(new URL('load-client.ts', import.meta.url)), { serialization: 'advanced' });
  const result = await new Promise<LoadResult>((resolve, reject) => {
    child.once('message', (message) => resolve(message as LoadResult));
    child.once('exit', (code) => reject(new Error(`The load client ended with ${code} and no figures`)));
    child.send(order);
  });
  const count = Object.entries(result.statuses).reduce((sum, [status, n]) => sum + (status.startsWith('2') ? n : 0), 0);
  const refused = result.latencies.length - count;
  if (refused > count)
    throw new Error(`Most answers were refusals: ${JSON.stringify(result.statuses)} ${result.firstBadBody}`);
  return {
    perSecond: count / result.seconds,
    p50: quantile(result.latencies, 0.5),
    p99: quantile(result.latencies, 0.99),
    count,
    refused,
    late: result.statuses['202'] ?? 0,
    clientCpuMilliseconds: result.cpuMilliseconds,
  };
}

function quantile(sortedMicroseconds: readonly number[], share: number): number {
  const index = Math.min(sortedMicroseconds.length - 1, Math.floor(sortedMicroseconds.length * share));
  return (sortedMicroseconds[index] ?? 0) / 1_000;
}
