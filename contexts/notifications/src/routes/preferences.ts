import { PreferencesDraft, PreferencesView } from '@provender/contracts';
import { money } from '@provender/kernel';
import { answer, type Database, type HttpApp, read, write } from '@provender/platform';
import { type Preferences, switchesOf, WASTE_CURRENCY_USUAL, WASTE_LIMIT_USUAL } from '../domain/preferences.ts';
import { readPreferences } from '../store/preferences.ts';
import { changePreferences } from '../use-cases/change-preferences.ts';

/** Whoever is a person: a machine hears of nothing. */
const PEOPLE = ['customer', 'staff'] as const;

export function preferenceRoutes(app: HttpApp, db: Database): void {
  read(app, {
    method: 'GET',
    url: '/api/notifications/preferences',
    access: PEOPLE,
    summary: 'What the caller wants to hear of, by which channel',
    schema: { response: PreferencesView },
    handle: async ({ caller }) => preferencesView(await readPreferences(db, caller.id)),
  });
  write(app, {
    method: 'PUT',
    url: '/api/notifications/preferences',
    access: PEOPLE,
    summary: 'Chooses what to hear of, by which channel',
    description:
      'Orders and money: of one’s own. Products that run out and waste: for those who work here. What is left out ' +
      'stays as it is.',
    schema: { body: PreferencesDraft, response: { 200: PreferencesView } },
    db,
    async handle({ body, caller, now }, tx) {
      return answer(200, preferencesView(await changePreferences(tx, caller.id, body, now)));
    },
  });
}

function preferencesView({ email, webhook, wasteLimit }: Preferences): PreferencesView {
  return {
    email: switchesOf(email),
    webhook: switchesOf(webhook),
    wasteLimit: wasteLimit ?? money(WASTE_LIMIT_USUAL, WASTE_CURRENCY_USUAL),
  };
}
