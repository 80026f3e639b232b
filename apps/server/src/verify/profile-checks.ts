import type { Check } from './checks.ts';
import { isLevel } from './consumed.ts';

/** P7 by its effects on the profiles, which are made of events alone. */
export const profileChecks: readonly Check[] = [
  {
    name: 'the profile of everybody counts the orders that they placed',
    promise: 'P7',
    kind: 'liveness',
    contexts: ['identity', 'orders'],
    sql: `
      SELECT users.id AS "userId", placed.count AS orders, profiles.document#>>'{orders,placed}' AS profile
      FROM identity.users LEFT JOIN identity.profiles ON profiles.user_id = users.id
      LEFT JOIN (SELECT customer_id, count(*) FROM orders.orders GROUP BY customer_id) AS placed
        ON placed.customer_id = users.id
      WHERE coalesce((profiles.document#>>'{orders,placed}')::bigint, 0) <> coalesce(placed.count, 0)
        AND ${isLevel('identity', 'orders')}`,
  },
  {
    name: 'the profile of everybody has the money that is on their account',
    promise: 'P7',
    kind: 'liveness',
    contexts: ['identity', 'bank'],
    sql: `
      SELECT accounts.id AS "userId", accounts.balance, profiles.document#>>'{account,balance,amount}' AS profile
      FROM bank.accounts JOIN identity.users ON users.id = accounts.id
      LEFT JOIN identity.profiles ON profiles.user_id = accounts.id
      WHERE accounts.balance IS DISTINCT FROM (profiles.document#>>'{account,balance,amount}')::bigint
        AND ${isLevel('identity', 'bank')}`,
  },
];
