import { IdParams, StartedWork, StartWorkRequest, VendSessionView } from '@provender/contracts';
import { actsAs, answer, type HttpApp, problem, read, write } from '@provender/platform';
import { wishOf } from '../domain/choice.ts';
import { machineView } from '../domain/machine.ts';
import { isStarter, sessionView } from '../domain/session.ts';
import { readSession, readSteps } from '../store/sessions.ts';
import { type StartRefusal, startWork } from '../use-cases/start-work.ts';
import type { FleetRoutes } from './machines.ts';

function refusedStart({ kind }: StartRefusal) {
  switch (kind) {
    case 'unknown-site':
      return problem('not-found', { detail: 'There is no such site.' });
    case 'unknown-machine':
      return problem('not-found', { detail: 'There is no such machine.' });
    case 'credentials-revoked':
      return problem('forbidden', { detail: 'The credentials of this machine were revoked.' });
    case 'no-idle-machine':
      return problem(kind, { detail: 'No machine is idle.' });
  }
}

/** The orchestrator: who wants to buy gets a machine, and sees what became of it. */
export function orchestratorRoutes(app: HttpApp, { db, ids }: FleetRoutes): void {
  write(app, {
    method: 'POST',
    url: '/api/orchestrator/start-work',
    access: ['customer', 'staff', 'machine'],
    summary: 'Take the idle machine that was used least, or the one named; it waits two minutes for a choice',
    schema: { body: StartWorkRequest, response: { 200: StartedWork } },
    problems: { 'not-found': 404, 'no-idle-machine': 409 },
    db,
    async handle({ body, caller, now }, tx) {
      const wish = wishOf(caller, body);
      if (!wish.ok) return problem('forbidden', { detail: 'A machine works for itself alone.' });
      const starter = { kind: caller.kind, id: caller.id };
      const started = await startWork(tx, { sessionId: ids.next(), wish: wish.value, starter }, now);
      if (!started.ok) return refusedStart(started.refusal);
      const { machine, session } = started.value;
      const steps = await readSteps(tx, session.id);
      return answer(200, { machine: machineView(machine), session: sessionView(session, steps) });
    },
  });
  read(app, {
    method: 'GET',
    url: '/api/vending-sessions/:id',
    access: ['customer', 'staff', 'machine'],
    summary: 'One vend session with its whole history',
    schema: { params: IdParams, response: VendSessionView },
    async handle({ params, caller }) {
      const session = await readSession(db, params.id);
      if (session === undefined || !(actsAs(caller, 'staff') || isStarter(session, caller))) {
        return problem('not-found', { detail: 'There is no such session.' });
      }
      return sessionView(session, await readSteps(db, session.id));
    },
  });
}
