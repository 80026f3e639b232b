import type { Check } from './checks.ts';
import { isLevel } from './consumed.ts';

/** Who has a machine, and what its sessions went through. */
const sessions: readonly Check[] = [
  {
    name: 'a machine that works has one vend session, and one that does not has none',
    promise: 'P9',
    kind: 'safety',
    contexts: ['fleet'],
    sql: `
      SELECT machines.id AS "machineId", machines.session_id AS "sessionId", open.id AS open
      FROM fleet.machines LEFT JOIN fleet.sessions AS open
        ON open.machine_id = machines.id AND open.status IN ('choosing', 'authorised', 'dispensing')
      WHERE machines.session_id IS DISTINCT FROM open.id`,
  },
  {
    name: 'a vend session is where its history ends, which has no gap',
    promise: 'P9',
    kind: 'safety',
    contexts: ['fleet'],
    sql: `
      SELECT sessions.id AS "sessionId", sessions.status, story.last, story.count FROM fleet.sessions
      LEFT JOIN (
        SELECT session_id, count(*), max(seq) AS last FROM fleet.session_history GROUP BY session_id
      ) AS story ON story.session_id = sessions.id
      LEFT JOIN fleet.session_history AS step ON step.session_id = sessions.id AND step.seq = story.last
      WHERE story.count IS DISTINCT FROM story.last OR step.status IS DISTINCT FROM sessions.status`,
  },
  {
    name: 'a choice that never comes gives the machine back, in time',
    promise: 'P9',
    kind: 'liveness',
    contexts: ['fleet'],
    sql: `
      SELECT sessions.id AS "sessionId", sessions.machine_id AS "machineId", begun.at FROM fleet.sessions
      JOIN fleet.session_history AS begun ON begun.session_id = sessions.id AND begun.seq = 1
      WHERE sessions.status = 'choosing' AND begun.at < :now - interval '2 minutes' - :patience`,
  },
];

const others: readonly Check[] = [
  {
    name: 'identity lets in the machines that the fleet has given credentials, and no others',
    promise: 'P7',
    kind: 'liveness',
    contexts: ['identity', 'fleet'],
    sql: `
      SELECT machines.id AS "machineId", machines.client_id AS "clientId", clients.id AS "letIn" FROM fleet.machines
      LEFT JOIN identity.clients
        ON clients.subject = machines.id AND clients.kind = 'machine' AND clients.revoked_at IS NULL
      WHERE clients.id IS DISTINCT FROM machines.client_id AND ${isLevel('identity', 'fleet')}`,
  },
  {
    name: 'the fleet knows the sites as the catalog has them',
    promise: 'P7',
    kind: 'liveness',
    contexts: ['catalog', 'fleet'],
    sql: `
      SELECT sites.id AS "siteId" FROM catalog.sites LEFT JOIN fleet.sites AS own ON own.id = sites.id
      WHERE (own.currency, own.free_vend) IS DISTINCT FROM (sites.currency, sites.free_vend)
        AND ${isLevel('fleet', 'catalog')}`,
  },
  {
    name: 'the fleet knows the products as the catalog has them',
    promise: 'P7',
    kind: 'liveness',
    contexts: ['catalog', 'fleet'],
    sql: `
      SELECT products.id AS "productId" FROM catalog.products LEFT JOIN fleet.products AS own ON own.id = products.id
      WHERE (own.id IS NULL OR own.withdrawn <> (products.withdrawn_at IS NOT NULL)
          OR (products.withdrawn_at IS NULL
            AND (own.name, own.price, own.currency, own.stock)
              IS DISTINCT FROM (products.name, products.price, products.currency, products.stock)))
        AND ${isLevel('fleet', 'catalog')}`,
  },
];

export const fleetChecks: readonly Check[] = [...sessions, ...others];
