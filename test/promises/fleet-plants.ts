import type { Plant } from './plants.ts';

export const fleetPlants: readonly Plant[] = [
  {
    what: 'a machine whose session has ended',
    breaks: 'a machine that works has one vend session, and one that does not has none',
    breaksToo: ['a vend session is where its history ends, which has no gap'],
    sql: ["UPDATE fleet.sessions SET status = 'cancelled' WHERE status = 'choosing'"],
  },
  {
    what: 'a session that has lost how it began',
    breaks: 'a vend session is where its history ends, which has no gap',
    sql: [
      `DELETE FROM fleet.session_history AS step USING fleet.sessions
       WHERE sessions.id = step.session_id AND sessions.status = 'cancelled' AND step.seq = 1`,
    ],
  },
  {
    what: 'a machine that still waits for a choice',
    breaks: 'a choice that never comes gives the machine back, in time',
    sql: [
      `UPDATE fleet.session_history AS step SET at = step.at - interval '10 minutes' FROM fleet.sessions
       WHERE sessions.id = step.session_id AND sessions.status = 'choosing'`,
    ],
  },
  {
    what: 'a machine that identity no longer lets in',
    breaks: 'identity lets in the machines that the fleet has given credentials, and no others',
    sql: ["UPDATE identity.clients SET revoked_at = :now WHERE kind = 'machine'"],
  },
  {
    what: 'a site that gives vends for free, as only the fleet thinks',
    breaks: 'the fleet knows the sites as the catalog has them',
    sql: ['UPDATE fleet.sites SET free_vend = NOT free_vend'],
  },
  {
    what: 'an old price in the fleet',
    breaks: 'the fleet knows the products as the catalog has them',
    sql: ['UPDATE fleet.products SET price = price + 1'],
  },
];
