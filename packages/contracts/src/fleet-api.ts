import { type Static, Type } from 'typebox';
import { CLOSED, InstantText, Literals, Page, PageQuery, PriceSchema, Text, Uuid } from './common.ts';
import { MACHINE_STATUSES, MACHINE_STOCKS, PlannedSlot, VEND_STATUSES } from './fleet.ts';

const MACHINE_NAME_LENGTH_MAX = 100;
/** Units in one slot; a coil has about ten, a hopper of capsules some hundred. */
export const SLOT_CAPACITY_MAX = 1_000;
/** Slots of one machine. */
export const SLOTS_MAX = 200;

export const SlotDraft = Type.Object(
  {
    slot: Type.String({
      pattern: '^[A-Za-z0-9]{1,8}$',
      description: 'The name on the machine',
      examples: ['A1'],
    }),
    productId: Uuid,
    capacity: Type.Integer({ minimum: 1, maximum: SLOT_CAPACITY_MAX }),
    parLevel: Type.Optional(
      Type.Integer({ minimum: 0, maximum: SLOT_CAPACITY_MAX, description: 'Below this it is to be filled' }),
    ),
    price: Type.Optional(PriceSchema),
    cashPrice: Type.Optional(PriceSchema),
  },
  CLOSED,
);
export type SlotDraft = Static<typeof SlotDraft>;

const SlotDrafts = Type.Array(SlotDraft, { maxItems: SLOTS_MAX });

export const PlanogramDraft = Type.Object({ slots: SlotDrafts }, CLOSED);
export type PlanogramDraft = Static<typeof PlanogramDraft>;

export const PlanogramView = Type.Object(
  {
    machineId: Uuid,
    version: Type.Integer({ description: 'Counts from 1; 0 where none was ever defined' }),
    slots: Type.Array(PlannedSlot),
  },
  CLOSED,
);
export type PlanogramView = Static<typeof PlanogramView>;

export const MachineDraft = Type.Object(
  {
    name: Text(MACHINE_NAME_LENGTH_MAX),
    siteId: Uuid,
    stock: Type.Optional(Literals(MACHINE_STOCKS)),
    slots: Type.Optional(SlotDrafts),
  },
  CLOSED,
);
export type MachineDraft = Static<typeof MachineDraft>;

export const MachineView = Type.Object(
  {
    id: Uuid,
    name: Type.String(),
    siteId: Uuid,
    stock: Literals(MACHINE_STOCKS),
    status: Literals(MACHINE_STATUSES),
    usageCount: Type.Integer(),
    online: Type.Boolean({ description: 'Also where no program has ever connected: the server plays it then' }),
    createdAt: InstantText,
    updatedAt: InstantText,
  },
  CLOSED,
);
export type MachineView = Static<typeof MachineView>;

export const MachinePage = Page(MachineView);
export const MachineQuery = Type.Object({ ...PageQuery.properties, siteId: Type.Optional(Uuid) }, CLOSED);
export type MachineQuery = Static<typeof MachineQuery>;

export const CredentialsView = Type.Object(
  { clientId: Uuid, clientSecret: Type.String({ description: 'Shown this once' }) },
  CLOSED,
);
export type CredentialsView = Static<typeof CredentialsView>;

export const RegisteredMachineView = Type.Object({ machine: MachineView, ...CredentialsView.properties }, CLOSED);

export const MachineAnswer = Type.Object({ machine: MachineView }, CLOSED);

export const StartWorkRequest = Type.Object({ siteId: Type.Optional(Uuid), machineId: Type.Optional(Uuid) }, CLOSED);
export type StartWorkRequest = Static<typeof StartWorkRequest>;

export const VendSessionView = Type.Object(
  {
    id: Uuid,
    machineId: Uuid,
    productId: Type.Optional(Uuid),
    unitId: Type.Optional(Uuid),
    status: Literals(VEND_STATUSES),
    history: Type.Array(
      Type.Object({ status: Literals(VEND_STATUSES), at: InstantText, cause: Type.String() }, CLOSED),
    ),
  },
  CLOSED,
);
export type VendSessionView = Static<typeof VendSessionView>;

export const StartedWork = Type.Object({ machine: MachineView, session: VendSessionView }, CLOSED);
