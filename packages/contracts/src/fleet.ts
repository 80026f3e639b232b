import { type Static, Type } from 'typebox';
import { CLOSED, InstantText, Literals, MoneySchema, Uuid } from './common.ts';

export const MACHINE_STATUSES = ['idle', 'choose_product', 'processing', 'out_of_service'] as const;
export type MachineStatus = (typeof MACHINE_STATUSES)[number];

/** What moves a machine from one status to another. */
export const MACHINE_MOVES = ['start-work', 'choose-product', 'give-back', 'finish', 'break-down', 'reset'] as const;
export type MachineMove = (typeof MACHINE_MOVES)[number];

/** Which move leads where (design §5): the API, the pages and the tests read this one table. What is absent is not. */
export const machineTransitions = {
  idle: { 'start-work': 'choose_product', 'break-down': 'out_of_service' },
  choose_product: {
    'choose-product': 'processing',
    'give-back': 'idle',
    'break-down': 'out_of_service',
    reset: 'idle',
  },
  processing: { 'give-back': 'idle', finish: 'idle', 'break-down': 'out_of_service', reset: 'idle' },
  out_of_service: { reset: 'idle' },
} as const satisfies Record<MachineStatus, { readonly [Move in MachineMove]?: MachineStatus }>;

/** `shared`: sells from the pool of its site. `own`: sells what lies in its slots. */
export const MACHINE_STOCKS = ['shared', 'own'] as const;
export type MachineStock = (typeof MACHINE_STOCKS)[number];

/** In the vocabulary of the field (OPC 30210-1, MDB). */
export const VEND_STATUSES = [
  'choosing',
  'authorised',
  'dispensing',
  'succeeded',
  'failed',
  'refunded',
  'unknown',
  'cancelled',
] as const;
export type VendStatus = (typeof VEND_STATUSES)[number];

/** A place in a machine, and what it is to hold. Prices are the product's where none is said. */
export const PlannedSlot = Type.Object(
  {
    slot: Type.String(),
    productId: Uuid,
    capacity: Type.Integer({ minimum: 1 }),
    parLevel: Type.Optional(Type.Integer({ minimum: 0 })),
    price: Type.Optional(MoneySchema),
    cashPrice: Type.Optional(MoneySchema),
  },
  CLOSED,
);
export type PlannedSlot = Static<typeof PlannedSlot>;

export const MachineRegistered = Type.Object(
  { machineId: Uuid, name: Type.String(), siteId: Uuid, stock: Literals(MACHINE_STOCKS) },
  CLOSED,
);
export type MachineRegistered = Static<typeof MachineRegistered>;

/** What a machine holds where, from now on. Said whole; versions count from 1, so that a past sale knows its own. */
export const PlanogramDefined = Type.Object(
  { machineId: Uuid, siteId: Uuid, version: Type.Integer({ minimum: 1 }), slots: Type.Array(PlannedSlot) },
  CLOSED,
);
export type PlanogramDefined = Static<typeof PlanogramDefined>;

/** Credentials for a machine's program. The secret itself is known to nobody but who was shown it. */
export const MachineCredentialsIssued = Type.Object(
  {
    machineId: Uuid,
    clientId: Uuid,
    secretHash: Type.String({
      pattern: '^[A-Za-z0-9_-]{43}$',
      description: 'SHA-256 of the secret, base64url',
      examples: ['47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU'],
    }),
    replaces: Type.Optional({ ...Uuid, description: 'The credentials that end with this' }),
  },
  CLOSED,
);
export type MachineCredentialsIssued = Static<typeof MachineCredentialsIssued>;

export const MachineCredentialsRevoked = Type.Object({ machineId: Uuid, clientId: Uuid }, CLOSED);
export type MachineCredentialsRevoked = Static<typeof MachineCredentialsRevoked>;

export const MachineStatusChanged = Type.Object(
  {
    machineId: Uuid,
    siteId: Uuid,
    from: Literals(MACHINE_STATUSES),
    to: Literals(MACHINE_STATUSES),
    cause: Literals(MACHINE_MOVES),
    sessionId: Type.Optional(Uuid),
    changedAt: InstantText,
  },
  CLOSED,
);
export type MachineStatusChanged = Static<typeof MachineStatusChanged>;

/** Key and subject: the machine. */
export const fleetEvents = {
  'fleet.machine-registered.v1': MachineRegistered,
  'fleet.planogram-defined.v1': PlanogramDefined,
  'fleet.machine-credentials-issued.v1': MachineCredentialsIssued,
  'fleet.machine-credentials-revoked.v1': MachineCredentialsRevoked,
  'fleet.machine-status-changed.v1': MachineStatusChanged,
} as const;
