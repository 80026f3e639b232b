import {
  CredentialsView,
  IdParams,
  MachineAnswer,
  MachineDraft,
  MachinePage,
  MachineQuery,
  MachineView,
  NoContent,
  PlanogramDraft,
  PlanogramView,
  RegisteredMachineView,
} from '@provender/contracts';
import { answer, type Database, type HttpApp, type Ids, page, paged, problem, read, write } from '@provender/platform';
import { machineView } from '../domain/machine.ts';
import type { PlanogramRefusal } from '../domain/planogram.ts';
import { newCredentials } from '../new-secret.ts';
import { listMachines, readMachine } from '../store/machines.ts';
import { readSlots } from '../store/slots.ts';
import { definePlanogram } from '../use-cases/define-planogram.ts';
import { resetMachine } from '../use-cases/give-back.ts';
import { revokeCredentials, rotateCredentials } from '../use-cases/manage-credentials.ts';
import { registerMachine } from '../use-cases/register-machine.ts';

export type FleetRoutes = { readonly db: Database; readonly ids: Ids };

export function machineRoutes(app: HttpApp, fleet: FleetRoutes): void {
  readRoutes(app, fleet);
  registerRoute(app, fleet);
  credentialRoutes(app, fleet);
  changeRoutes(app, fleet);
}

const noMachine = () => problem('not-found', { detail: 'There is no such machine.' });

function refusedPlan(refusal: PlanogramRefusal | { readonly kind: 'unknown-site' | 'unknown-machine' }) {
  switch (refusal.kind) {
    case 'invalid':
      return problem('invalid-request', { detail: 'The slots cannot be so.', errors: refusal.faults });
    case 'unknown-product':
      return problem('not-found', { detail: `There is no product ${refusal.productId}.` });
    case 'unknown-site':
      return problem('not-found', { detail: 'There is no such site.' });
    case 'unknown-machine':
      return noMachine();
  }
}

function readRoutes(app: HttpApp, { db }: FleetRoutes): void {
  read(app, {
    method: 'GET',
    url: '/api/vending-machines',
    access: 'signed-in',
    summary: 'Machines, of one site or of all, newest first',
    schema: { querystring: MachineQuery, response: MachinePage },
    async handle({ query }) {
      const paging = paged(query, ['uuid']);
      if (!paging.ok) return paging.refusal;
      const { siteId } = query;
      const machines = await listMachines(db, { ...paging.value, ...(siteId === undefined ? {} : { siteId }) });
      return page(machines, paging.value.limit, machineView, ({ id }) => [id]);
    },
  });
  read(app, {
    method: 'GET',
    url: '/api/vending-machines/:id',
    access: 'signed-in',
    summary: 'One machine',
    schema: { params: IdParams, response: MachineView },
    async handle({ params }) {
      const machine = await readMachine(db, params.id);
      return machine === undefined ? noMachine() : machineView(machine);
    },
  });
  read(app, {
    method: 'GET',
    url: '/api/vending-machines/:id/products',
    access: 'signed-in',
    summary: 'What a machine holds where: its planogram as it stands',
    schema: { params: IdParams, response: PlanogramView },
    async handle({ params }) {
      const machine = await readMachine(db, params.id);
      if (machine === undefined) return noMachine();
      const { id: machineId, planogramVersion: version } = machine;
      return { machineId, version, slots: await readSlots(db, machineId, version) };
    },
  });
}

function registerRoute(app: HttpApp, { db, ids }: FleetRoutes): void {
  write(app, {
    method: 'POST',
    url: '/api/vending-machines/register',
    access: ['manager'],
    summary: 'Take a machine into the fleet; the secret of its program is shown this once',
    schema: { body: MachineDraft, response: { 201: RegisteredMachineView } },
    problems: { 'not-found': 404 },
    db,
    secret: true,
    async handle({ body, now }, tx) {
      const { stock = 'shared', slots = [], ...draft } = body;
      const credentials = newCredentials(ids);
      const registered = await registerMachine(tx, { id: ids.next(), stock, slots, ...draft }, credentials, now);
      if (!registered.ok) return refusedPlan(registered.refusal);
      const { clientId, clientSecret } = credentials;
      return answer(201, { machine: machineView(registered.value), clientId, clientSecret });
    },
  });
}

function credentialRoutes(app: HttpApp, { db, ids }: FleetRoutes): void {
  write(app, {
    method: 'POST',
    url: '/api/vending-machines/:id/credentials',
    access: ['manager'],
    summary: 'Give a machine other credentials; those that it had end at once',
    schema: { params: IdParams, response: { 201: CredentialsView } },
    db,
    secret: true,
    async handle({ params, now }, tx) {
      const rotated = await rotateCredentials(tx, params.id, newCredentials(ids), now);
      if (!rotated.ok) return noMachine();
      const { clientId, clientSecret } = rotated.value;
      return answer(201, { clientId, clientSecret });
    },
  });
  write(app, {
    method: 'DELETE',
    url: '/api/vending-machines/:id/credentials',
    access: ['manager'],
    summary: 'End the credentials of a machine at once',
    schema: { params: IdParams, response: { 204: NoContent } },
    db,
    async handle({ params, now }, tx) {
      const revoked = await revokeCredentials(tx, params.id, now);
      if (revoked.ok) return answer(204);
      if (revoked.refusal.kind === 'unknown-machine') return noMachine();
      return problem('not-found', { detail: 'The machine has no credentials.' });
    },
  });
}

function changeRoutes(app: HttpApp, { db }: FleetRoutes): void {
  write(app, {
    method: 'PUT',
    url: '/api/vending-machines/:id/products',
    access: ['manager'],
    summary: 'Define what a machine holds where, as the next version of its planogram',
    schema: { params: IdParams, body: PlanogramDraft, response: { 200: PlanogramView } },
    db,
    async handle({ params, body, now }, tx) {
      const defined = await definePlanogram(tx, params.id, body.slots, now);
      return defined.ok ? answer(200, defined.value) : refusedPlan(defined.refusal);
    },
  });
  write(app, {
    method: 'POST',
    url: '/api/vending-machines/:id/reset',
    access: ['staff'],
    summary: 'Make a machine idle, whatever it does',
    schema: { params: IdParams, response: { 200: MachineAnswer } },
    problems: { 'already-idle': 409 },
    db,
    async handle({ params, now }, tx) {
      const reset = await resetMachine(tx, params.id, now);
      if (reset.ok) return answer(200, { machine: machineView(reset.value) });
      if (reset.refusal.kind === 'unknown-machine') return noMachine();
      return problem('already-idle', { detail: 'The machine is idle already.' });
    },
  });
}
