import type { Plant } from './plants.ts';

export const notificationPlants: readonly Plant[] = [
  {
    what: 'a mail that was taken twice',
    breaks: 'no message went to one address twice, unless it was replayed',
    sql: [
      `INSERT INTO notifications.attempts (message_id, number, ok, detail, milliseconds)
       SELECT message_id, number + 100, ok, detail, milliseconds FROM notifications.attempts WHERE ok LIMIT 1`,
    ],
  },
  {
    what: 'a mail that is delivered and was never sent',
    breaks: 'a message that is delivered has been taken by the other side',
    sql: [
      `DELETE FROM notifications.attempts
       WHERE message_id = (SELECT message_id FROM notifications.attempts WHERE ok LIMIT 1)`,
    ],
  },
  {
    what: 'a message that nobody sends',
    breaks: 'a message that is due is tried, unless its way is closed',
    sql: [
      `INSERT INTO notifications.messages (id, event_id, channel, address, lane, event_at, status, next_at)
       SELECT gen_random_uuid(), event_id, 'webhook', 'x', 'x', event_at, 'waiting', now() - interval '1 hour'
       FROM notifications.notices LIMIT 1`,
    ],
  },
  {
    what: 'a live message that was lost',
    breaks: 'what is said live has no gap',
    sql: ['DELETE FROM notifications.live_sets WHERE number = 2'],
  },
  {
    what: 'a customer who was not told',
    breaks: 'whoever wants mail of what happens to an order has it on its way',
    sql: [
      `DELETE FROM notifications.messages WHERE event_id = (
         SELECT event_id FROM notifications.notices WHERE kind = 'order-status-changed' LIMIT 1)`,
    ],
  },
  {
    what: 'an e-mail address from before',
    breaks: 'notifications knows people as identity has them',
    sql: ["UPDATE notifications.people SET email = 'before@test.example'"],
  },
  {
    what: 'a site in another time zone',
    breaks: 'notifications knows the sites as the catalog has them',
    sql: ["UPDATE notifications.sites SET time_zone = 'Asia/Tokyo'"],
  },
  {
    what: 'a shelf that is counted wrongly',
    breaks: 'notifications counts what is free as inventory does',
    sql: ['UPDATE notifications.stock SET available = available + 1 WHERE available > 0'],
  },
  {
    what: 'a profile that has missed an order',
    breaks: 'the profile of everybody counts the orders that they placed',
    sql: [
      `UPDATE identity.profiles SET document = jsonb_set(document::jsonb, '{orders,placed}', '1')::json
       WHERE document#>>'{orders,placed}' <> '0'`,
    ],
  },
  {
    what: 'a profile with money that is not there',
    breaks: 'the profile of everybody has the money that is on their account',
    sql: [
      `UPDATE identity.profiles SET document = jsonb_set(document::jsonb, '{account,balance,amount}', '123456')::json
       WHERE document#>>'{account,balance,amount}' IS NOT NULL`,
    ],
  },
];
