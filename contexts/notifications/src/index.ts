import { type ContextModule, type ContextPlatform, type OpenContext } from '@provender/platform';
import { CHANNELS } from './channels/channels.ts';
import { PrivateAddress, resolveHost, shownSecret } from './channels/webhook.ts';
import { readWebhookUrl, type UrlRefusal } from './domain/webhook-url.ts';
import type { PreferencesChange } from './domain/preferences.ts';
import { openLiveHub } from './live/hub.ts';
import { reactions } from './reactions.ts';
import { liveRoutes } from './routes/live.ts';
import { messageRoutes } from './routes/messages.ts';
import { preferenceRoutes } from './routes/preferences.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import { changePreferences } from './use-cases/change-preferences.ts';
import { ensurePurge, purgeJobs } from './use-cases/purge-old.ts';
import { openSender } from './use-cases/send-messages.ts';

/** What notifications offers to the composition beside its routes. */
export type OpenNotifications = OpenContext & {
  /** Chooses for somebody what they hear of, for the demo. */
  choose(userId: string, change: PreferencesChange): Promise<void>;
};

/** Who wants to hear what: mail, webhooks, Redis, and the live stream. */
export const notifications: ContextModule<OpenNotifications> = {
  context: 'notifications',
  migrations: new URL('../migrations/', import.meta.url),
  open,
};

/** Between two sets of events: a listener hears of an order so much later, and a purchase pays the less for it. */
const REST_MILLISECONDS = 50;

function open(platform: ContextPlatform): OpenNotifications {
  const { db, clock, ids, settings, log } = platform;
  const channels = CHANNELS.map((openChannel) => openChannel(platform)).filter((channel) => channel !== undefined);
  // By chance, from the last digits of an id: where ids are seeded, so is this.
  const chance = () => Number.parseInt(ids.next().slice(-4), 16) / 0x1_0000;
  const sender = openSender({ db, clock, log, channels, chance });
  const hub = openLiveHub(db, log);
  let isNoted = false;
  const note = () => {
    isNoted = true;
  };
  return {
    restMilliseconds: REST_MILLISECONDS,
    reactions: reactions({ clock, ids, publishes: channels.some(({ name }) => name === 'redis'), note }),
    jobs: purgeJobs,
    routes(app) {
      preferenceRoutes(app, db);
      webhookRoutes(app, {
        db,
        ids,
        urlFault: (url) => urlFault(url, settings.webhookLoopback),
        shownSecret,
        wake: sender.wake,
      });
      messageRoutes(app, db);
      liveRoutes(app, hub);
    },
    async prepare(tx) {
      await ensurePurge(tx, clock.now());
      sender.start();
    },
    afterConsumed() {
      if (isNoted) sender.wake();
      isNoted = false;
      hub.wake();
    },
    async close() {
      hub.close();
      await sender.stop();
    },
    sent: sender.sent,
    choose: (userId, change) =>
      db.withTx(async (tx) => void (await changePreferences(tx, userId, change, clock.now()))),
  };
}

/** Says why nothing may be sent to an address. A name that nobody knows now may be known when it matters. */
async function urlFault(text: string, allowsLoopback: boolean): Promise<UrlRefusal['kind'] | undefined> {
  const read = readWebhookUrl(text, allowsLoopback);
  if (!read.ok) return read.refusal.kind;
  try {
    await resolveHost(read.value.hostname, allowsLoopback);
    return undefined;
  } catch (error) {
    return error instanceof PrivateAddress ? 'private-address' : undefined;
  }
}
