import {
  BatchDraft,
  BatchPage,
  BatchQuery,
  BatchView,
  IdParams,
  NoContent,
  ScheduleDraft,
  SchedulePage,
  SchedulePatch,
  ScheduleQuery,
  ScheduleView,
} from '@provender/contracts';
import { answer, type Database, type HttpApp, type Ids, page, paged, problem, read, write } from '@provender/platform';
import { batchView } from './domain/batch.ts';
import { type Invalid, scheduleView } from './domain/schedule.ts';
import { listBatches, listSchedules, readSchedule } from './store.ts';
import { bakeBatch } from './use-cases/bake-batch.ts';
import { defineSchedule, type Unbakeable } from './use-cases/define-schedule.ts';
import { endSchedule, reviseSchedule, type UnknownSchedule } from './use-cases/revise-schedule.ts';

export type ProductionRoutes = { readonly db: Database; readonly ids: Ids };

export function routes(app: HttpApp, production: ProductionRoutes): void {
  scheduleReadRoutes(app, production);
  scheduleWriteRoutes(app, production);
  batchRoutes(app, production);
}

const bakeProblems = { 'not-found': 404, 'not-kept-as-units': 409 } as const;

/** A refusal to bake as the caller reads it. */
function refusedBaking({ kind }: Unbakeable) {
  switch (kind) {
    case 'unknown-site':
      return problem('not-found', { detail: 'There is no such site.' });
    case 'unknown-product':
      return problem('not-found', { detail: 'There is no such product.' });
    case 'not-kept-as-units':
      return problem(kind, { detail: 'The product is made to order; only what is kept as units is baked ahead.' });
  }
}

function refusedSchedule(refusal: Invalid | UnknownSchedule) {
  if (refusal.kind === 'unknown-schedule') return problem('not-found', { detail: 'There is no such schedule.' });
  return problem('invalid-request', { detail: 'The schedule cannot be so.', errors: refusal.faults });
}

function scheduleReadRoutes(app: HttpApp, { db }: ProductionRoutes): void {
  read(app, {
    method: 'GET',
    url: '/api/production/schedules',
    access: ['manager'],
    summary: 'All schedules, newest first',
    schema: { querystring: ScheduleQuery, response: SchedulePage },
    async handle({ query }) {
      const paging = paged(query, ['uuid']);
      if (!paging.ok) return paging.refusal;
      const schedules = await listSchedules(db, { ...paging.value, ...siteOf(query) });
      return page(schedules, paging.value.limit, scheduleView, (schedule) => [schedule.id]);
    },
  });
  read(app, {
    method: 'GET',
    url: '/api/production/schedules/:id',
    access: ['manager'],
    summary: 'One schedule',
    schema: { params: IdParams, response: ScheduleView },
    async handle({ params }) {
      const schedule = await readSchedule(db, params.id);
      return schedule === undefined ? refusedSchedule({ kind: 'unknown-schedule' }) : scheduleView(schedule);
    },
  });
}

function siteOf({ siteId }: { readonly siteId?: string }): { readonly siteId?: string } {
  return siteId === undefined ? {} : { siteId };
}

function scheduleWriteRoutes(app: HttpApp, { db, ids }: ProductionRoutes): void {
  write(app, {
    method: 'POST',
    url: '/api/production/schedules',
    access: ['manager'],
    summary: 'Bake so many of a product again and again, from opening to closing',
    schema: { body: ScheduleDraft, response: { 201: ScheduleView } },
    problems: bakeProblems,
    db,
    async handle({ body, now }, tx) {
      const defined = await defineSchedule(tx, ids.next(), body, now);
      if (defined.ok) return answer(201, scheduleView(defined.value));
      return defined.refusal.kind === 'invalid' ? refusedSchedule(defined.refusal) : refusedBaking(defined.refusal);
    },
  });
  write(app, {
    method: 'PATCH',
    url: '/api/production/schedules/:id',
    access: ['manager'],
    summary: 'Change how often, or how much, a schedule bakes from now on',
    schema: { params: IdParams, body: SchedulePatch, response: { 200: ScheduleView } },
    db,
    async handle({ params, body, now }, tx) {
      const revised = await reviseSchedule(tx, ids, { id: params.id, patch: body, now });
      return revised.ok ? answer(200, scheduleView(revised.value)) : refusedSchedule(revised.refusal);
    },
  });
  write(app, {
    method: 'DELETE',
    url: '/api/production/schedules/:id',
    access: ['manager'],
    summary: 'End a schedule; its batches stay',
    schema: { params: IdParams, response: { 204: NoContent } },
    db,
    async handle({ params, now }, tx) {
      const ended = await endSchedule(tx, params.id, now);
      return ended.ok ? answer(204) : refusedSchedule(ended.refusal);
    },
  });
}

function batchRoutes(app: HttpApp, { db, ids }: ProductionRoutes): void {
  read(app, {
    method: 'GET',
    url: '/api/production/batches',
    access: ['staff'],
    summary: 'Batches, of one site or of all, newest first',
    schema: { querystring: BatchQuery, response: BatchPage },
    async handle({ query }) {
      const paging = paged(query, ['instant', 'uuid']);
      if (!paging.ok) return paging.refusal;
      const batches = await listBatches(db, { ...paging.value, ...siteOf(query) });
      return page(batches, paging.value.limit, batchView, (batch) => [batch.madeAt, batch.id]);
    },
  });
  write(app, {
    method: 'POST',
    url: '/api/production/batches',
    access: ['staff'],
    summary: 'Bake now; the units are on the shelf at once',
    schema: { body: BatchDraft, response: { 201: BatchView } },
    problems: bakeProblems,
    db,
    async handle({ body, now }, tx) {
      const baked = await bakeBatch(tx, ids.next(), body, now);
      return baked.ok ? answer(201, batchView(baked.value)) : refusedBaking(baked.refusal);
    },
  });
}
