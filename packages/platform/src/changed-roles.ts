import type { RolesChanged } from '@provender/contracts';
import { type Query, statement, type Tx } from './database.ts';
import type { SignedInCaller } from './http/access.ts';
import type { ContextModule, OpenContext } from './module.ts';
import { alsoReacting } from './reactions.ts';
import { everyWall } from './wall-timer.ts';

const ROLES_CHANGED = 'identity.roles-changed.v1';
/** Longer than an access token lives: a token that is older than a change has expired by then. */
const REMEMBERED_MINUTES = 20;
/** How often a process looks for what another one of its context has heard. Wall time. */
const LOOK_MILLISECONDS = 2_000;
/** Beyond this the oldest are forgotten; nobody changes the roles of so many in twenty minutes. */
const REMEMBERED_MAX = 10_000;

const SAVE = statement(
  'save-changed-roles',
  // An event that comes again later must not make newer tokens look old, so only a change moves the moment.
  `INSERT INTO changed_roles AS known (user_id, roles)
   SELECT user_id, string_to_array(roles, ' ') FROM unnest($1::uuid[], $2::text[]) AS changed (user_id, roles)
   ORDER BY user_id
   ON CONFLICT (user_id) DO UPDATE SET roles = excluded.roles, heard_at = excluded.heard_at
   WHERE known.roles <> excluded.roles`,
);
const FORGET = statement(
  'forget-changed-roles',
  `DELETE FROM changed_roles WHERE heard_at < now() - interval '${REMEMBERED_MINUTES} minutes'`,
);
const RECENT = statement(
  'recent-changed-roles',
  `SELECT user_id AS "userId", roles, heard_at AS "heardAt" FROM changed_roles
   WHERE heard_at > now() - interval '${REMEMBERED_MINUTES} minutes' ORDER BY heard_at DESC LIMIT ${REMEMBERED_MAX}`,
);

type Change = { readonly userId: string; readonly roles: readonly string[]; readonly heardAt: number };

export type ChangedRoles = {
  /** The module, which also hears of changed roles and remembers them in its own schema. */
  hearing<Open extends OpenContext>(module: ContextModule<Open>): ContextModule<Open>;
  /** The caller of a token of that moment, with no more than the roles that are left. */
  limited(caller: SignedInCaller, issuedAt: number): SignedInCaller;
  /** Begins to look, through one context of this process, for what other processes have heard. */
  start(db: Query): Promise<void>;
  stop(): void;
};

/**
 * Roles that were taken away are gone within seconds, though the token that says them lives on: every context hears of
 * the change, and lets an older token do no more than both say. What was given comes with the next token.
 */
export function openChangedRoles(): ChangedRoles {
  let changes = new Map<string, Change>();
  let stop: (() => void) | undefined;

  async function hear(events: readonly { readonly data: RolesChanged }[], tx: Tx): Promise<void> {
    // The last word on each user, since one statement cannot change a row twice.
    const last = new Map(events.map(({ data }) => [data.userId, data.roles.join(' ')]));
    tx.query(FORGET).catch(() => {});
    await tx.query(SAVE, [[...last.keys()], [...last.values()]]);
    const heardAt = Date.now();
    for (const [userId, roles] of last) changes.set(userId, { userId, roles: roles.split(' '), heardAt });
  }

  async function look(db: Query): Promise<void> {
    const found = await db.query<Change>(RECENT);
    changes = new Map(found.map((change) => [change.userId, change]));
  }

  return {
    hearing: (module) => ({
      ...module,
      open(platform) {
        const open = module.open(platform);
        return { ...open, reactions: alsoReacting(open.reactions ?? {}, ROLES_CHANGED, hear) };
      },
    }),
    limited(caller, issuedAt) {
      if (changes.size === 0 || caller.kind !== 'user') return caller;
      const change = changes.get(caller.id);
      if (change === undefined || issuedAt > change.heardAt) return caller;
      return { ...caller, roles: caller.roles.filter((role) => change.roles.includes(role)) };
    },
    async start(db) {
      await look(db);
      stop = everyWall(LOOK_MILLISECONDS, () => {
        // A database that is away is met again at the next look; what is known meanwhile still counts.
        look(db).catch(() => {});
      });
    },
    stop: () => stop?.(),
  };
}
