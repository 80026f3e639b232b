import type { OpenChannel } from './channel.ts';
import { openEmail } from './email.ts';
import { openRedis } from './redis.ts';
import { openWebhooks } from './webhook.ts';

/** Every channel there is. */
export const CHANNELS: readonly OpenChannel[] = [openEmail, openWebhooks, openRedis];
