import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';

/** What /metrics shows. Whoever has something to count adds it to `registry`. */
export type Metrics = {
  readonly registry: Registry;
  /** Counts one answered request. */
  observeRequest(method: string, route: string, status: number, milliseconds: number): void;
};

/** Seconds: a purchase takes milliseconds, a waiting order ten seconds at most. */
const DURATION_BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/** Metrics of one server: durations of requests by route and status, and the process's own. */
export function createMetrics(options: { readonly process: boolean } = { process: true }): Metrics {
  const registry = new Registry();
  if (options.process) collectDefaultMetrics({ register: registry, prefix: 'provender_' });
  const durations = new Histogram({
    name: 'provender_http_request_duration_seconds',
    help: 'Time from the request line to the last byte of the answer',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: DURATION_BUCKETS,
    registers: [registry],
  });
  return {
    registry,
    observeRequest(method, route, status, milliseconds) {
      durations.observe({ method, route, status }, milliseconds / 1_000);
    },
  };
}
