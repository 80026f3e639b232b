import { VerificationQuery, VerificationView } from '@provender/contracts';
import { type Instant, parseInstant } from '@provender/kernel';
import { type Clock, type HttpApp, read, STRICT_LIMIT } from '@provender/platform';
import type { DatabaseUrls } from './verify/homes.ts';
import { type Verification, verifyPromises } from './verify/run-checks.ts';

export type Verified = { readonly databases: DatabaseUrls; readonly clock: Clock };

/** Looks at every promise when a manager asks. */
export function verifyRoute(app: HttpApp, { databases, clock }: Verified): void {
  const underWay = new Map<string, Promise<Verification>>();

  /** Who asks while the same is being looked at gets what comes of that: it may read millions of rows. */
  function verified(since: Instant | undefined): Promise<Verification> {
    const asked = String(since);
    const running =
      underWay.get(asked) ??
      verifyPromises({
        databases,
        clock,
        ...(since === undefined ? {} : { since }),
      }).finally(() => {
        underWay.delete(asked);
      });
    underWay.set(asked, running);
    return running;
  }

  read(app, {
    method: 'GET',
    url: '/api/verify',
    access: ['manager'],
    summary: 'Checks every promise on the live data, now',
    description: 'With `since`, tables that grow for ever are looked at from there on.',
    rateLimit: STRICT_LIMIT,
    schema: { querystring: VerificationQuery, response: VerificationView },
    async handle({ query }) {
      const since = query.since === undefined ? undefined : parseInstant(query.since);
      const { ok, at, checks } = await verified(since);
      return { ok, at, checks: checks.map((check) => ({ ...check, violations: [...check.violations] })) };
    },
  });
}
