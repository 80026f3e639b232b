import type { Static } from 'typebox';
import { bankEvents } from './bank.ts';
import { catalogEvents } from './catalog.ts';
import type { NewEvent, RecordedEvent } from './envelope.ts';
import { fleetEvents } from './fleet.ts';
import { identityEvents } from './identity.ts';
import { inventoryEvents } from './inventory.ts';
import { notificationsEvents } from './notifications.ts';
import { ordersEvents } from './orders.ts';
import { partnerOrderEvents } from './partner-orders.ts';
import { productionEvents } from './production.ts';
import { warehouseEvents } from './warehouses.ts';

/** Every event of every context, with the schema of its data. */
export const eventSchemas = {
  ...identityEvents,
  ...catalogEvents,
  ...productionEvents,
  ...inventoryEvents,
  ...warehouseEvents,
  ...ordersEvents,
  ...partnerOrderEvents,
  ...bankEvents,
  ...fleetEvents,
  ...notificationsEvents,
} as const;

export type EventType = keyof typeof eventSchemas;
export type EventData<Type extends EventType> = Static<(typeof eventSchemas)[Type]>;

/** An event of a known type that is about to be appended. */
export type Said = { [Type in EventType]: NewEvent<Type, EventData<Type>> }[EventType];

/** An event of a known type as a consumer gets it. */
export type Heard<Type extends EventType> = RecordedEvent<Type, EventData<Type>>;
