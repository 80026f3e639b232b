import { randomBytes } from 'node:crypto';
import { ACCESS_TOKEN_AUDIENCE } from '@provender/contracts';
import {
  type Clock,
  createHttpServer,
  createLogger,
  createMetrics,
  createTokenVerifier,
  type KeyShelf,
  publishedKeys,
  type Settings,
} from '@provender/platform';
import { keysOf } from './server.ts';
import type { DatabaseUrls } from './verify/homes.ts';
import { verifyRoute } from './verify-route.ts';

export type OperationsProcess = { url(): string; start(): Promise<void>; stop(): Promise<void> };

const SECRET_BYTES = 32;

/**
 * Where each context has a database of its own, the one process that may look at all of them: it answers what no
 * context can, whether every promise holds. It runs no context and keeps nothing.
 */
export async function openOperationsProcess(
  settings: Settings,
  databases: DatabaseUrls,
  clock: Clock,
): Promise<OperationsProcess> {
  const log = createLogger(settings.logLevel);
  let listening = settings.publicUrl ?? `http://${settings.host}:${settings.port}`;
  const keys = keysOf(settings, () => listening);
  const http = await createHttpServer({
    settings,
    logger: log,
    clock,
    metrics: createMetrics(),
    secretKey: randomBytes(SECRET_BYTES),
    ready: async () => true,
    settled: async () => {},
    verifyToken: createTokenVerifier({
      jwks: publishedKeys({ ...keys, shelf: noShelf(), log }),
      issuer: keys.issuer,
      audience: ACCESS_TOKEN_AUDIENCE,
    }),
  });
  verifyRoute(http.app('operations'), { databases, clock });
  return {
    url: () => listening,
    async start() {
      const address = await http.listen();
      listening = settings.publicUrl ?? address;
    },
    stop: () => http.stop(),
  };
}

/** It has no database of its own: the keys that it read last are gone with it. */
function noShelf(): KeyShelf {
  return { kept: async () => undefined, keep: async () => {} };
}
