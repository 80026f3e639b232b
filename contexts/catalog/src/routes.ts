import {
  IdParams,
  MenuQuery,
  MenuView,
  NoContent,
  PageQuery,
  ProductDraft,
  ProductPage,
  ProductPatch,
  ProductView,
  SiteDraft,
  SitePage,
  SitePatch,
  SiteView,
  VARIATIONS_MAX,
  VariationDraft,
  VariationParams,
  VariationPatch,
  VariationView,
} from '@provender/contracts';
import {
  actsAs,
  answer,
  type Caller,
  type Database,
  type HttpApp,
  type Ids,
  page,
  paged,
  problem,
  read,
  readyJson,
  write,
} from '@provender/platform';
import type { Fault } from './domain/fault.ts';
import { productView } from './domain/product.ts';
import { siteView } from './domain/site.ts';
import type { TooManyVariations } from './domain/variation.ts';
import { listProducts, listSites, readProduct, readSite } from './store.ts';
import { addVariation, reviseVariation, withdrawVariation } from './use-cases/change-variations.ts';
import { defineProduct, type SkuTaken } from './use-cases/define-product.ts';
import { defineSite } from './use-cases/define-site.ts';
import type { MenuReader } from './use-cases/read-menu.ts';
import { reviseProduct } from './use-cases/revise-product.ts';
import { reviseSite } from './use-cases/revise-site.ts';
import { withdrawProduct } from './use-cases/withdraw-product.ts';

export type CatalogRoutes = { readonly db: Database; readonly ids: Ids; readonly menus: MenuReader };

export function routes(app: HttpApp, catalog: CatalogRoutes): void {
  siteRoutes(app, catalog);
  productReadRoutes(app, catalog);
  productWriteRoutes(app, catalog);
  variationRoutes(app, catalog);
  menuRoute(app, catalog);
}

type CommonRefusal =
  | { readonly kind: 'invalid'; readonly faults: readonly Fault[] }
  | { readonly kind: 'unknown-site' | 'unknown-product' | 'unknown-variation' };

/** A refusal as the caller reads it. */
function refused(refusal: CommonRefusal) {
  switch (refusal.kind) {
    case 'invalid':
      return problem('invalid-request', { detail: 'The values do not go together.', errors: refusal.faults });
    case 'unknown-site':
      return problem('not-found', { detail: 'There is no such site.' });
    case 'unknown-product':
      return problem('not-found', { detail: 'There is no such product.' });
    case 'unknown-variation':
      return problem('not-found', { detail: 'The product has no such variation.' });
  }
}

const skuProblems = { 'sku-taken': 409 } as const;

function refusedSku(refusal: CommonRefusal | SkuTaken) {
  if (refusal.kind !== 'sku-taken') return refused(refusal);
  return problem('sku-taken', { detail: 'Another product has this sku.' });
}

const variationProblems = { 'too-many-variations': 409 } as const;

function refusedVariation(refusal: CommonRefusal | TooManyVariations) {
  if (refusal.kind !== 'too-many-variations') return refused(refusal);
  return problem('too-many-variations', { detail: `A product has ${VARIATIONS_MAX} variations at most.` });
}

function siteRoutes(app: HttpApp, { db, ids }: CatalogRoutes): void {
  read(app, {
    method: 'GET',
    url: '/api/sites',
    access: 'anyone',
    summary: 'All sites, newest first',
    schema: { querystring: PageQuery, response: SitePage },
    async handle({ query }) {
      const paging = paged(query, ['uuid']);
      if (!paging.ok) return paging.refusal;
      return page(await listSites(db, paging.value), paging.value.limit, siteView, (site) => [site.id]);
    },
  });
  read(app, {
    method: 'GET',
    url: '/api/sites/:id',
    access: 'anyone',
    summary: 'One site',
    schema: { params: IdParams, response: SiteView },
    async handle({ params }) {
      const site = await readSite(db, params.id);
      return site === undefined ? refused({ kind: 'unknown-site' }) : siteView(site);
    },
  });
  write(app, {
    method: 'POST',
    url: '/api/sites',
    access: ['manager'],
    summary: 'Open a site',
    schema: { body: SiteDraft, response: { 201: SiteView } },
    db,
    async handle({ body }, tx) {
      const defined = await defineSite(tx, ids.next(), body);
      if (!defined.ok) return refused(defined.refusal);
      return answer(201, siteView(defined.value), { location: `/api/sites/${defined.value.id}` });
    },
  });
  write(app, {
    method: 'PATCH',
    url: '/api/sites/:id',
    access: ['manager'],
    summary: 'Change the named members of a site',
    schema: { params: IdParams, body: SitePatch, response: { 200: SiteView } },
    db,
    async handle({ params, body }, tx) {
      const revised = await reviseSite(tx, params.id, body);
      return revised.ok ? answer(200, siteView(revised.value)) : refused(revised.refusal);
    },
  });
}

/** What a product costs to make is for those who work here. */
function seesCost(caller: Caller): boolean {
  return actsAs(caller, 'staff');
}

function productReadRoutes(app: HttpApp, { db }: CatalogRoutes): void {
  read(app, {
    method: 'GET',
    url: '/api/products',
    access: 'anyone',
    summary: 'All products of the range, newest first',
    schema: { querystring: PageQuery, response: ProductPage },
    async handle({ query, caller }) {
      const paging = paged(query, ['uuid']);
      if (!paging.ok) return paging.refusal;
      const products = await listProducts(db, paging.value);
      const view = (product: (typeof products)[number]) => productView(product, seesCost(caller));
      return page(products, paging.value.limit, view, (product) => [product.id]);
    },
  });
  read(app, {
    method: 'GET',
    url: '/api/products/:id',
    access: 'anyone',
    summary: 'One product of the range',
    schema: { params: IdParams, response: ProductView },
    async handle({ params, caller }) {
      const product = await readProduct(db, params.id);
      return product === undefined ? refused({ kind: 'unknown-product' }) : productView(product, seesCost(caller));
    },
  });
}

function productWriteRoutes(app: HttpApp, { db, ids }: CatalogRoutes): void {
  write(app, {
    method: 'POST',
    url: '/api/products',
    access: ['manager'],
    summary: 'Take a product into the range',
    schema: { body: ProductDraft, response: { 201: ProductView } },
    problems: skuProblems,
    db,
    async handle({ body }, tx) {
      const variationIds = (body.variations ?? []).map(() => ids.next());
      const defined = await defineProduct(tx, { productId: ids.next(), variationIds }, body);
      if (!defined.ok) return refusedSku(defined.refusal);
      return answer(201, productView(defined.value, true), { location: `/api/products/${defined.value.id}` });
    },
  });
  write(app, {
    method: 'PATCH',
    url: '/api/products/:id',
    access: ['manager'],
    summary: 'Change the named members of a product; null clears',
    schema: { params: IdParams, body: ProductPatch, response: { 200: ProductView } },
    problems: skuProblems,
    db,
    async handle({ params, body }, tx) {
      const revised = await reviseProduct(tx, params.id, body);
      return revised.ok ? answer(200, productView(revised.value, true)) : refusedSku(revised.refusal);
    },
  });
  write(app, {
    method: 'DELETE',
    url: '/api/products/:id',
    access: ['manager'],
    summary: 'Take a product out of the range; history keeps it',
    schema: { params: IdParams, response: { 204: NoContent } },
    db,
    async handle({ params, now }, tx) {
      const withdrawn = await withdrawProduct(tx, params.id, now);
      return withdrawn.ok ? answer(204) : refused(withdrawn.refusal);
    },
  });
}

function variationRoutes(app: HttpApp, { db, ids }: CatalogRoutes): void {
  write(app, {
    method: 'POST',
    url: '/api/products/:id/variations',
    access: ['manager'],
    summary: 'Add a variation to a product',
    schema: { params: IdParams, body: VariationDraft, response: { 201: VariationView } },
    problems: variationProblems,
    db,
    async handle({ params, body }, tx) {
      const added = await addVariation(tx, { productId: params.id, variationId: ids.next() }, body);
      return added.ok ? answer(201, added.value) : refusedVariation(added.refusal);
    },
  });
  write(app, {
    method: 'PATCH',
    url: '/api/products/:id/variations/:variationId',
    access: ['manager'],
    summary: 'Change the named members of a variation',
    schema: { params: VariationParams, body: VariationPatch, response: { 200: VariationView } },
    db,
    async handle({ params, body }, tx) {
      const revised = await reviseVariation(tx, { productId: params.id, variationId: params.variationId }, body);
      return revised.ok ? answer(200, revised.value) : refused(revised.refusal);
    },
  });
  write(app, {
    method: 'DELETE',
    url: '/api/products/:id/variations/:variationId',
    access: ['manager'],
    summary: 'Take a variation off its product; history keeps it',
    schema: { params: VariationParams, response: { 204: NoContent } },
    db,
    async handle({ params, now }, tx) {
      const gone = await withdrawVariation(tx, { productId: params.id, variationId: params.variationId }, now);
      return gone.ok ? answer(204) : refused(gone.refusal);
    },
  });
}

function menuRoute(app: HttpApp, { menus }: CatalogRoutes): void {
  read(app, {
    method: 'GET',
    url: '/api/menu',
    access: 'anyone',
    summary: 'What a site sells at this moment, for how much, and how much of it is there',
    description: 'Prices are those of this very minute. Answers 304 to an If-None-Match with the same content.',
    schema: { querystring: MenuQuery, response: MenuView },
    problems: { 'not-found': 404 },
    async handle({ query }) {
      const menu = await menus.read(query.siteId);
      return menu === undefined ? refused({ kind: 'unknown-site' }) : readyJson(menu.json, menu.etag);
    },
  });
}
