import type { ContextModule, OpenContext } from '@provender/platform';
import { reactions } from './reactions.ts';
import { routes } from './routes.ts';
import { menuReader } from './use-cases/read-menu.ts';

export type { Invalid } from './domain/fault.ts';
export type { Product } from './domain/product.ts';
export type { Site } from './domain/site.ts';
export { defineProduct } from './use-cases/define-product.ts';
export { defineSite } from './use-cases/define-site.ts';
export { reviseProduct } from './use-cases/revise-product.ts';

/** Sites, products, prices, and the menu: what is sold where, for how much, and how much of it is there. */
export const catalog: ContextModule = {
  context: 'catalog',
  migrations: new URL('../migrations/', import.meta.url),
  open({ db, clock, ids }): OpenContext {
    const menus = menuReader(db, clock);
    const touched = new Set<string>();
    return {
      reactions: reactions(touched),
      routes: (app) => routes(app, { db, ids, menus }),
      afterConsumed() {
        menus.drop(touched);
        touched.clear();
      },
      afterCommit(events) {
        for (const { type, subject } of events) {
          if (type === 'catalog.site-defined.v1') menus.drop([subject]);
          else menus.dropAll();
        }
      },
    };
  },
};
