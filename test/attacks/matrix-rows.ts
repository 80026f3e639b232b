import { type AttackedTown, MISSING_ID } from '../support/attacked-town.ts';

/** The statuses for anonymous, customer, staff, manager and machine, in this order. */
export type Row = readonly [
  object: 'all' | 'own' | 'foreign' | 'missing' | 'deleted',
  statuses: string,
  /** The path and, where there is one, the body; made anew for each caller, since a change may use it up. */
  request: (town: AttackedTown) => Promise<Wanted> | Wanted,
];

export type Wanted = { readonly path: string; readonly body?: unknown };

export const ANYONE = '200 200 200 200 200';
export const MANAGER = '401 403 403 200 403';
export const STAFF = '401 403 200 200 403';
export const PEOPLE = '401 200 200 200 403';
export const NOBODY_THERE = '404 404 404 404 404';

export function at(path: string): Row[2] {
  return () => ({ path });
}

/** Rows for an object that the path names by `{id}`: one that never was. */
export function missing(path: string, statuses: string, body?: unknown): Row {
  return [
    'missing',
    statuses,
    () => ({ path: path.replace('{id}', MISSING_ID), ...(body === undefined ? {} : { body }) }),
  ];
}

let numbers = 0;
/** So that no two requests of the matrix ask for the same address or sku. */
export function unique(): string {
  numbers += 1;
  return `matrix-${numbers}`;
}

/** So many goods of a product at a site, for the routes that make units. */
export function batchOf(place: string, siteId: string, productId: string): Wanted {
  return { path: `/api/${place}`, body: { siteId, productId, quantity: 1 } };
}
