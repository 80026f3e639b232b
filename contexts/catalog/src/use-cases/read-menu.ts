import { createHash } from 'node:crypto';
import { HOLD_TIME, HOLD_WALL_TIME_MIN } from '@provender/contracts';
import { type Instant, plus, SECOND } from '@provender/kernel';
import type { Clock, Database } from '@provender/platform';
import { menuOf, menuValidUntil } from '../domain/menu.ts';
import { readShelvedMenu } from '../store.ts';

/** How long a menu is kept at most: for what another process has changed, of which nobody here was told. */
const KEPT_FOR = SECOND;
const KEPT_FOR_WALL = SECOND / 4;

/** Menus kept at once; beyond, all are forgotten and read again. */
const MENUS_MAX = 1_000;

/** A menu as it goes over the wire, with a tag of all that is in it except the moment at which it was read. */
export type ReadyMenu = { readonly json: Buffer; readonly etag: string };

export type MenuReader = {
  /** The menu of a site at this moment; undefined where there is no such site. */
  read(siteId: string): Promise<ReadyMenu | undefined>;
  /** Forgets the menus of these sites: their next reader sees what has just been committed. */
  drop(siteIds: Iterable<string>): void;
  dropAll(): void;
};

type KeptMenu = ReadyMenu & { readonly validUntil: Instant };

/**
 * Reads menus, each site's at most once for all who ask at the same time. Kept until something is dropped or time makes
 * it untrue ({@link menuValidUntil}): 8,000 readers a second cost a few queries.
 */
export function menuReader(db: Database, clock: Clock): MenuReader {
  const kept = new Map<string, KeptMenu>();
  const asked = new Map<string, Promise<KeptMenu | undefined>>();
  const keptFor = clock.atLeastWall(KEPT_FOR, KEPT_FOR_WALL);
  const holdTime = clock.atLeastWall(HOLD_TIME, HOLD_WALL_TIME_MIN);

  async function query(siteId: string): Promise<KeptMenu | undefined> {
    const now = clock.now();
    const shelved = await readShelvedMenu(db, siteId, plus(now, holdTime));
    if (shelved === undefined) return undefined;
    const { hours, offers, earliestStaleAt } = shelved;
    const menu = menuOf({ id: siteId, ...hours }, offers, now);
    const { at: _, ...content } = menu;
    const etag = `"${createHash('sha256').update(JSON.stringify(content)).digest('base64url').slice(0, 27)}"`;
    const validUntil = menuValidUntil(hours, earliestStaleAt, now, { keptFor, holdTime });
    return { json: Buffer.from(JSON.stringify(menu)), etag, validUntil };
  }

  /** Asks the database, for all who come before it has answered. What was dropped meanwhile is not kept. */
  async function ask(siteId: string): Promise<KeptMenu | undefined> {
    const question = query(siteId);
    asked.set(siteId, question);
    try {
      const menu = await question;
      if (menu === undefined || asked.get(siteId) !== question) return menu;
      if (kept.size >= MENUS_MAX) kept.clear();
      kept.set(siteId, menu);
      return menu;
    } finally {
      if (asked.get(siteId) === question) asked.delete(siteId);
    }
  }

  return {
    async read(siteId) {
      const menu = kept.get(siteId);
      if (menu !== undefined && clock.now() < menu.validUntil) return menu;
      return asked.get(siteId) ?? ask(siteId);
    },
    drop(siteIds) {
      for (const siteId of siteIds) {
        kept.delete(siteId);
        asked.delete(siteId);
      }
    },
    dropAll() {
      kept.clear();
      asked.clear();
    },
  };
}
